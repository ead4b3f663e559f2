#!/bin/sh
# Boots systemd in a container whose root is this machine's, under an overlay that lives in memory, and runs inside.sh in
# it: container.sh FOLDER. FOLDER has inside.sh, both packages and the library; log and the result come back there. Nothing
# of it reaches the machine. Run it in a mount namespace of its own.
set -eu
folder=$1
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$folder/memory"
cd "$folder/memory"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root || exit 77

# Whatever this machine has of monev112, and what would slow or hold a package's scripts, is not in the container.
rm -rf root/var/lib/monev112 root/var/cache/monev112 root/etc/monev112 root/usr/sbin/policy-rc.d root/etc/machine-id
ln -sf /bin/true root/usr/bin/mandb
mkdir -p root/mnt/test
cat > root/etc/systemd/system/inside.service <<'UNIT'
[Service]
Type=exec
ExecStart=/bin/sh /mnt/test/inside.sh
ExecStopPost=systemctl poweroff --force --force
StandardOutput=file:/mnt/test/log
StandardError=inherit
UNIT
exec timeout --kill-after=20 2400 systemd-nspawn --quiet --directory="$PWD/root" --private-network --register=no --keep-unit \
	--bind="$folder:/mnt/test" --console=pipe --boot systemd.unit=basic.target systemd.wants=inside.service
