# shellcheck shell=bash
# What is particular to this cluster: edit it once. Every script of this directory sources it in its job; source it in the
# shell you submit from, too, and sbatch takes account and partition from there.
#
# For several people: copy it to a shared directory, say `export KNOWHOW_SITE=DIR`, and DIR/site.sh is taken instead.

# 1. What sbatch is told: variables that it reads itself. Options on its command line win over them.
# export SBATCH_ACCOUNT=my_project
# export SBATCH_PARTITION=gpu
# export SBATCH_CONSTRAINT=h100

# 2. Where jobs leave addresses of servers, snapshots and logs that others read: a directory that all nodes see.
export KNOWHOW_SHARED="${KNOWHOW_SHARED:-$PWD/results/cluster}"

# 3. In a job: modules, then the environment with the project in it.
if [[ -n "${SLURM_JOB_ID:-}" ]]; then
  # module load cuda/12.8
  if [[ -z "${KNOWHOW_CONTAINER:-}" ]]; then
    # shellcheck disable=SC1090,SC1091
    source "${KNOWHOW_ENVIRONMENT:-.venv/bin/activate}"
  fi
fi

# 4. Or a container with the project in it: the words that go before every command of its.
# export KNOWHOW_CONTAINER="apptainer exec --nv --bind $PWD /shared/knowhow.sif"
# shellcheck disable=SC2034  # job.sh reads it
read -ra CONTAINER <<<"${KNOWHOW_CONTAINER:-}"

# Nodes without a way out wait for no hub and no W&B; what W&B wrote is sent later by `bench sync`.
# export HF_HUB_OFFLINE=1 WANDB_MODE=offline
