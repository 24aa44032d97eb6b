# shellcheck shell=bash
# What every script of this directory begins with: the site's settings, and what several of them do alike.
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
# shellcheck source=slurm/site.sh
source "${KNOWHOW_SITE:-slurm}/site.sh"
mkdir -p "$KNOWHOW_SHARED"
child=0

# requeueing COMMAND ...: in the site's container, if it has one. At Slurm's signal (the time is up, or the place taken) the
# command is ended and the job goes back into the queue; `bench run` then goes on where it was.
requeueing() {
  trap 'end_child; back_into_the_queue' USR2
  "${CONTAINER[@]}" "$@" &
  child=$!
  wait "$child"
}

end_child() {
  kill -TERM "$child" 2>/dev/null || true
  wait "$child" || true
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
