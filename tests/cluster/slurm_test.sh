#!/usr/bin/env bash
# Trains one experiment as a Slurm array on this machine (two virtual nodes),
# kills a node's daemon and its job step in the middle, and compares the result
# to the byte with an undisturbed training. Debian, as root:
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
deno=$(command -v deno || true)
export DENO=${deno:-npx -y deno@2.9.6}

if ! command -v slurmctld >/dev/null || ! command -v munged >/dev/null; then
  apt-get update >"$work/apt.log" 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get install -y slurm-wlm munge >>"$work/apt.log" 2>&1
fi

host=$(hostname -s)
mkdir -p /run/munge "$work"/{state,spool1,spool2,log}
if ! pgrep -x munged >/dev/null; then
  [ -f /etc/munge/munge.key ] || (umask 077; head -c 1024 /dev/urandom >/etc/munge/munge.key)
  chown -R munge:munge /run/munge /etc/munge /var/lib/munge /var/log/munge
  runuser -u munge -- munged --force || true
  started_munge=yes
fi

cat >"$work/slurm.conf" <<CONF
ClusterName=biornn
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
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
  for pid in "$work"/*.pid; do [ -f "$pid" ] && kill "$(cat "$pid")" 2>/dev/null || true; done
  [ "${started_munge:-}" = yes ] && pkill -x munged || true
  [ "${keep:-}" = yes ] || rm -rf "$work"
}
trap stop EXIT

slurmctld -f "$work/slurm.conf"
slurmd -f "$work/slurm.conf" -N n1
slurmd -f "$work/slurm.conf" -N n2
for _ in $(seq 30); do
  [ "$(sinfo -h -t idle -o %D | head -1)" = 2 ] && break
  sleep 1
done
sinfo

experiment() { # FOLDER: writes a config whose results lie beside it
  mkdir -p "$1"
  sed -e 's/^epochs = .*/epochs = 60/' tests/cluster/slurm.ini >"$1/config.ini"
}
experiment "$work/calm"
experiment "$work/array"

$DENO task train "$work/calm/config.ini" >"$work/calm/log" 2>&1 || { cat "$work/calm/log"; exit 1; }

job=$(BIORNN_HOME=$home sbatch --parsable --array=0-3 --cpus-per-task=1 \
  --output="$work/log/task_%a.out" cluster/slurm.sbatch "$work/array/config.ini" --checkpoint_seconds 0)
echo "submitted array $job"

# A node dies as soon as something has been saved: its daemon and all it runs.
for _ in $(seq 300); do
  ls "$work/array/results/runs/"*.state_* >/dev/null 2>&1 && break
  sleep 0.1
done
victim=$(cat "$work/slurmd_n1.pid")
echo "killing node n1: its daemon (slurmd $victim), its job steps and all they run"
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
restarts=$(grep -l 'Done in\|This part is done' "$work"/log/task_*.out | wc -l)
echo "$restarts of 4 tasks reported their end"

if diff -r "$work/calm/results" "$work/array/results"; then
  echo "the array's results are the same to the byte"
else
  keep=yes
  echo "the results differ; see $work" >&2
  exit 1
fi
