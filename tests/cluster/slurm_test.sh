#!/usr/bin/env bash
# Trains one experiment as a Slurm array on this machine (two virtual nodes),
# tells one task that its time is up, lets a node die in the middle, and
# compares the result to the byte with an undisturbed training. Debian, as root:
#
#   bash tests/cluster/slurm_test.sh
#
# Installs slurm-wlm and munge where they are missing, starts its own daemons
# with a configuration in a temporary folder, and stops them at the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
home=$PWD
work=$(mktemp -d /tmp/biornn_slurm.XXXXXX)
export XDG_RUNTIME_DIR=/tmp NO_COLOR=1
export DENO=${DENO:-$(command -v deno || npx -y -p deno@2.9.6 -c 'command -v deno')}

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
  apt-get update >"$work/apt.log" 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get install -y slurm-wlm munge >>"$work/apt.log" 2>&1
fi

host=$(hostname -s)
mkdir -p "$work"/{state,log}
# Its own munge, which touches nothing of the system's.
(umask 077; head -c 1024 /dev/urandom >"$work/munge.key")
munged --force --key-file="$work/munge.key" --socket="$work/munge.socket" \
  --pid-file="$work/munged.pid" --log-file="$work/log/munged.log" --seed-file="$work/munge.seed"

cat >"$work/slurm.conf" <<CONF
ClusterName=biornn
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
# What is queued again waits for old credentials to expire, by default two minutes.
AuthInfo=socket=$work/munge.socket,cred_expire=5
SlurmctldPort=16817
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool%n
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd_%n.pid
SlurmctldLogFile=$work/log/slurmctld.log
SlurmdLogFile=$work/log/slurmd_%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SlurmdTimeout=10
MessageTimeout=10
KillWait=2
ReturnToService=2
MpiDefault=none
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=1 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
mkdir -p "$work/spooln1" "$work/spooln2"
export SLURM_CONF=$work/slurm.conf

stop() {
  scancel --user=root >/dev/null 2>&1 || true
  for _ in $(seq 10); do [ -z "$(squeue -h 2>/dev/null)" ] && break; sleep 1; done
  for pid in "$work"/*.pid; do [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true; done
  [ "${keep:-}" = yes ] || rm -rf "$work"
}
trap stop EXIT

slurmctld -f "$work/slurm.conf"
slurmd -f "$work/slurm.conf" -N n1
slurmd -f "$work/slurm.conf" -N n2
for _ in $(seq 30); do
  [ "$(sinfo -h -t idle -o %D 2>/dev/null | head -1)" = 2 ] && break
  sleep 1
done
sinfo
[ "$(sinfo -h -t idle -o %D | head -1)" = 2 ]

experiment() { # FOLDER: writes a config whose results lie beside it
  mkdir -p "$1"
  cp tests/cluster/slurm.ini "$1/config.ini"
}
experiment "$work/calm"
experiment "$work/array"

"$DENO" task train "$work/calm/config.ini" >"$work/calm/log" 2>&1 || { cat "$work/calm/log"; exit 1; }

job=$(BIORNN_HOME=$home sbatch --parsable --array=0-3 --cpus-per-task=1 \
  --output="$work/log/task_%a.out" cluster/slurm.sbatch "$work/array/config.ini" --checkpoint_seconds 0)
echo "submitted array $job"

saved() { # waits until a task has saved a state besides those in $known
  for _ in $(seq 600); do
    found=$(cd "$work/array/results/runs" 2>/dev/null && ls | grep states_ || true)
    [ -n "$(comm -13 <(echo "${known:-}") <(echo "$found"))" ] && return
    sleep 0.1
  done
  echo "no state was saved" >&2
  return 1
}

# The time of a task is up, as Slurm says it a minute before.
saved
# scancel may say it once more when the task has begun again.
echo "telling task 1 that its time is up"
scancel --batch --signal=USR1 "${job}_1"
for _ in $(seq 100); do
  grep -q 'Queued again' "$work/log/task_1.out" && break
  sleep 0.2
done
grep 'Stopped\.\|Queued again' "$work/log/task_1.out"

# A node dies while it trains: its daemon and all it runs.
for _ in $(seq 300); do
  struck=$(squeue -h -w n1 -t R -o %K)
  [ -n "$struck" ] && break
  sleep 0.2
done
known=$(cd "$work/array/results/runs" && ls | grep states_ || true)
saved
victim=$(cat "$work/slurmd_n1.pid")
echo "killing node n1, which trains task $struck: its daemon (slurmd $victim), its job steps and all they run"
kill -9 "$victim"
of_n1() { # processes that were started on node n1
  for process in /proc/[0-9]*; do
    tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx 'SLURMD_NODENAME=n1' && echo "${process#/proc/}"
  done || true
}
# The steps' own daemons first, so that none lives to report how its job ended.
jobs=$(of_n1)
for pid in $jobs; do
  parent=$(ps -o ppid= -p "$pid" | tr -d ' ' || true)
  if [ -n "$parent" ] && ps -o args= -p "$parent" | grep -q '^slurmstepd'; then kill -9 "$parent" || true; fi
done
for pid in $jobs; do kill -9 "$pid" 2>/dev/null || true; done
for _ in $(seq 60); do
  sinfo -h -n n1 -o %T | grep -q down && break
  sleep 1
done
sinfo
squeue
echo "node n1 comes back"
slurmd -f "$work/slurm.conf" -N n1
scontrol update nodename=n1 state=resume 2>/dev/null || true

for _ in $(seq 300); do
  [ -z "$(squeue -h -o %i)" ] && break
  sleep 1
done
squeue
sacct 2>/dev/null || true
ended=$(grep -l 'Done in\|This part is done' "$work"/log/task_*.out | wc -l)
echo "$ended of 4 tasks reported their end"
for task in 1 $struck; do
  starts=$(grep -c '^config ' "$work/log/task_$task.out")
  echo "task $task was started $starts times"
  [ "$starts" -ge 2 ] || { echo "task $task did not go on" >&2; exit 1; }
done

if diff -r "$work/calm/results" "$work/array/results"; then
  echo "the array's results are the same to the byte"
else
  keep=yes
  echo "the results differ; see $work" >&2
  exit 1
fi
