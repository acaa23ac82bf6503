"""A copy of this machine that is thrown away: what is done in it is gone with it.

The same program begins again in namespaces of its own, on an overlay of the disk, with a network of
nothing but a loopback; so packages can be installed, services started and `/etc` written to as on a
machine that somebody sets up.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WITHIN = "BIST_RUNBOOK_MACHINE"
PROGRAMS = "age amtool curl haproxy jq openssl pg_createcluster prometheus promtool redis-server socat sqlite3 zstd".split()
# Its disk is mounted below the folder that is named first, and what is written goes beside it.
BEGIN = r"""
set -euo pipefail
root=$1 checkout=$2 bist=$3
shift 3
mount --make-rprivate /
mount -t tmpfs -o size=6g tmpfs "$root"
mkdir "$root/written" "$root/work" "$root/disk"
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/written,workdir=$root/work" "$root/disk"
mount -t proc proc "$root/disk/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/disk/dev"
for device in full null random tty urandom zero; do
    touch "$root/disk/dev/$device"
    mount --bind "/dev/$device" "$root/disk/dev/$device"
done
ln -s /proc/self/fd "$root/disk/dev/fd"
mkdir "$root/disk/dev/shm"
for folder in dev/shm run tmp; do
    mount -t tmpfs -o mode=1777 tmpfs "$root/disk/$folder"
done
# What is mounted below the disk, or hidden by what is new, is not in the overlay of it.
mkdir -p "$root/disk$checkout" "$root/disk$(dirname "$bist")"
mkdir "$root/changed" "$root/changing"
mount -t overlay overlay -o "lowerdir=$checkout,upperdir=$root/changed,workdir=$root/changing" "$root/disk$checkout"
[ -e "$root/disk$bist" ] || touch "$root/disk$bist"
mount --bind "$bist" "$root/disk$bist"
ip link set lo up
echo "127.0.0.1 localhost bist.example db.example" >"$root/disk/etc/hosts"
# This shell stays, as the first process of the copy, for whom others leave behind.
chroot "$root/disk" "$@" || exit $?
"""
# Whether all of that can be.
TRIAL = r"""
mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/written /mnt/work /mnt/disk &&
    mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/written,workdir=/mnt/work /mnt/disk
"""


def enter(checkout: Path, bist: Path) -> None:
    """Returns in the copy, in which `checkout` and `bist` are; says so and ends where none can be made."""
    if WITHIN in os.environ:
        return
    unshare = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    why = None
    if os.geteuid() != 0:
        why = "it takes root"
    elif not shutil.which("ip"):
        why = "there is no `ip` (Debian package iproute2)"
    elif subprocess.run([*unshare, "bash", "-c", TRIAL], capture_output=True, check=False).returncode:
        why = "this machine makes no namespaces or no overlay"
    if why:
        print(f"the commands of the runbook are not typed: that needs a copy of this machine, and {why}")
        sys.exit(0)
    search = f"{os.environ['PATH']}:/usr/sbin"
    if missing := [program for program in PROGRAMS if not shutil.which(program, path=search)]:
        sys.exit(f"missing: {', '.join(missing)}; `scripts/setup.sh e2e` installs them")
    root = tempfile.mkdtemp(prefix="runbook-")
    here = [sys.executable, os.path.realpath(sys.argv[0]), str(bist)]
    begun = [*unshare, "bash", "-c", BEGIN, "machine", root, str(checkout), str(bist), *here]
    ended = subprocess.run(begun, env=os.environ | {WITHIN: "1"}, cwd="/", check=False)
    Path(root).rmdir()
    sys.exit(ended.returncode)
