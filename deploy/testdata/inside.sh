# What happens to the package on a machine, step by step; container.sh runs it as root under systemd. Each line "ok ..." or
# "FAIL ..." of its log is one check. deploy/package_test.go reads them.
set -u
cd /mnt/test
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

check() {
	what=$1
	shift
	if "$@"; then echo "ok $what"; else echo "FAIL $what ($*)"; fi
}
is() { [ "$1" = "$2" ] || { echo "is '$1', not '$2'"; return 1; }; }
until_true() { # a slow machine is no failure
	for _ in $(seq 3000); do "$@" > /dev/null 2>&1 && return 0; sleep 0.2; done
	"$@"
}
pid() { systemctl show --value --property=MainPID monev112; }
ready() { monev112 healthcheck --timeout 10s; }
ticket() { curl -sf -H "Authorization: Bearer $key" "http://127.0.0.1:8112/v1/tickets/SDA-1?lang=en" | grep -q '"id":"SDA-1"'; }
stored() { curl -sf http://127.0.0.1:8123/ --data-binary "SELECT count() FROM monev112.tickets_now WHERE id = 'SDA-1'" | grep -qx 1; }
says() { journalctl --unit=monev112 --no-pager | grep -qF "$1"; }

echo "== install, without the library of the embedded ClickHouse"
check "the package installs" dpkg -i one.deb
check "nothing runs yet" is "$(systemctl is-active monev112)" inactive
check "the service is enabled" systemctl --quiet is-enabled monev112
check "the user cannot log in" is "$(getent passwd monev112 | cut -d: -f6,7)" /var/lib/monev112:/usr/sbin/nologin
check "the data is the service's alone" is "$(stat -c '%U %G %a' /var/lib/monev112)" "monev112 monev112 700"
check "no file differs from the package" is "$(dpkg --verify monev112)" ""
check "the configuration has no mistake" monev112 check --config /etc/monev112/monev112.yaml
check "the unit has no mistake" systemd-analyze verify /usr/lib/systemd/system/monev112.service
check "the unit is hardened" systemd-analyze security --no-pager --threshold=20 monev112.service
systemctl start monev112
check "a start without the library says what brings it" until_true says "XDG_CACHE_HOME=/var/cache monev112 engine install"
systemctl stop monev112

echo "== start"
install -D -m 0644 libchdb.so "$(XDG_CACHE_HOME=/var/cache monev112 engine path 2>&1 | grep -o '/var/cache/[^ ]*libchdb.so')"
check "the service starts, and is ready when systemd says so" systemctl start monev112
check "it accepts events at once" ready
check "it runs as its user" is "$(stat -c %U "/proc/$(pid)")" monev112
key=$(runuser -u monev112 -- monev112 key --data /var/lib/monev112 create all --scope events:write --scope board:read 2> /dev/null)
check "a key is created as its user" test -n "$key"
send() {
	curl -sf http://127.0.0.1:8112/v1/events -H "Authorization: Bearer $key" -H 'Content-Type: application/cloudevents+json' \
		-d '{"specversion":"1.0","id":"1","source":"test","type":"monev112.ticket.opened","subject":"ticket/SDA-1","time":"'"$(date -Iseconds)"'",
		"data":{"category":"pju","priority":"non_darurat","kecamatan":"Waru"}}'
}
check "an event is accepted" until_true send
check "the ticket is shown" until_true ticket
check "the ticket is in ClickHouse" until_true stored

echo "== killed"
before=$(pid)
systemctl kill --signal=KILL --kill-whom=main monev112
again() { [ "$(pid)" != "$before" ] && [ "$(pid)" != 0 ] && ready; }
check "systemd starts it again" until_true again
check "the ticket is still shown" until_true ticket

echo "== upgrade, with a changed configuration"
echo 'MONEV112_OPTIONS="--log-level debug"' > /etc/default/monev112
echo 'attributes: [regu]' >> /etc/monev112/monev112.yaml
before=$(pid)
check "the package upgrades" dpkg -i two.deb
check "the version is new" is "$(dpkg-query -W -f '${Version}' monev112)" 0.2.0
check "the service was restarted and accepts events" until_true again
check "the changed flags are kept and used" grep -q -- --log-level "/proc/$(pid)/cmdline"
check "the changed configuration is kept" grep -q regu /etc/monev112/monev112.yaml
check "the ticket is still shown after the upgrade" until_true ticket
check "and still in ClickHouse" until_true stored

echo "== remove, and install again"
check "the package is removed" dpkg -r monev112
check "the service is gone" is "$(systemctl is-active monev112)" inactive
check "the program is gone" test ! -e /usr/bin/monev112
check "the configuration stays" grep -q regu /etc/monev112/monev112.yaml
check "it installs again" dpkg -i two.deb
check "and runs on what it had" until_true ticket

echo "== purge"
check "the package is purged" dpkg -P monev112
check "the data stays" test -s /var/lib/monev112/caller-keys -a -d /var/lib/monev112/clickhouse
check "and belongs to its user" is "$(stat -c '%U %a' /var/lib/monev112)" "monev112 700"
left=$(find /etc /run /usr /var -xdev -name '*monev112*' ! -path '/var/lib/monev112*' ! -path '/var/cache/man/*' ! -path '/run/systemd/*' 2> /dev/null)
check "nothing else is left" is "$left" ""

grep -q '^FAIL' log && journalctl --unit=monev112 --no-pager | tail -40
echo "== end"
