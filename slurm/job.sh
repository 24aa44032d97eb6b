# shellcheck shell=bash
# What every script of this directory begins with: the site's settings, and what several of them do alike.
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
# shellcheck source=slurm/site.sh
source "${KNOWHOW_SITE:-slurm}/site.sh"
mkdir -p "$KNOWHOW_SHARED"
child=0

# requeueing COMMAND ...: in the site's container, if it has one. At Slurm's signal (the time is up, or the place taken) the
# command is ended and the job goes back into the queue; `bench run` then goes on where it was. SIGTERM ends both: Slurm has
# decided by then whether the job is cancelled or put back.
requeueing() {
  trap 'end_child; back_into_the_queue' USR2
  trap 'end_child; exit 143' TERM
  "${CONTAINER[@]}" "$@" &
  child=$!
  wait "$child" || leave $?
}

end_child() {
  kill -TERM "$child" 2>/dev/null || true
  wait "$child" || true
}

# leave CODE: back into the queue where the place is being taken. A cluster that does not announce that signals the job's
# steps alone, as those in a container that srun starts, and puts back only a job that runs on until it is killed.
leave() {
  if [[ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --states=RUNNING --Format=PreemptTime)" == [0-9]* ]]; then
    back_into_the_queue
  fi
  exit "$1"
}

back_into_the_queue() {
  echo "signalled: back into the queue, restart ${SLURM_RESTART_COUNT:-0}" >&2
  trap - TERM
  scontrol requeue "$SLURM_JOB_ID"
  sleep 600 # until Slurm ends it: a job that ends by itself meanwhile may count as done
  exit 1
}

# answers URL SECONDS: wait until the child's server answers there; its end, or that long without an answer, ends the job.
answers() {
  local waited=0
  until curl --silent --fail --max-time 5 --output /dev/null "$1"; do
    kill -0 "$child" 2>/dev/null || { echo "the server ended before it answered" >&2; exit 1; }
    ((waited += 1, waited <= $2)) || { echo "$1: no answer within $2 s" >&2; exit 1; }
    sleep 1
  done
}

# publish FILE TEXT: for other jobs; it is there whole or not at all.
publish() {
  printf '%s\n' "$2" >"$1.$SLURM_JOB_ID"
  mv "$1.$SLURM_JOB_ID" "$1"
}

# withdraw FILE TEXT: unless another job has written there since.
withdraw() {
  if [[ "$(cat "$1" 2>/dev/null)" == "$2" ]]; then rm -f "$1"; fi
}
