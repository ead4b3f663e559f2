#!/bin/sh
# Makes what deploy/compose.yaml needs once: passwords, a certificate to begin with, the first API keys. Run it as root:
#
#   deploy/compose/first-run.sh 112.example.go.id
#
# What exists is left as it is, so a second run changes nothing. Each secret is a file of mode 0600 that belongs to the
# user of the one container that reads it; ClickHouse gets hashes only. Nothing secret is printed.
set -eu
umask 077

host=${1-}
here=$(cd "$(dirname "$0")" && pwd)
deploy=${MONEV112_DEPLOY_DIR:-$(dirname "$here")} # where the files go; the tests use another
secrets=$deploy/compose/secrets

# The users of compose.yaml.
collector=65532 door=65532 clickhouse=101 grafana=472 alertmanager=65534

say() { printf '%s\n' "$*"; }
fail() { say "first-run: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "run it as root: each secret is given to the container's user that reads it"
if [ ! -e "$deploy/.env" ]; then
	case $host in
	'') fail "say under which name people will open it: first-run.sh 112.example.go.id" ;;
	*[!A-Za-z0-9.-]*) fail "\"$host\" is no host name: letters, digits, dots and hyphens only, and no port" ;;
	esac
fi

# put FILE OWNER: standard input becomes FILE, whole or not at all.
put() {
	cat > "$1.new"
	[ -s "$1.new" ] || fail "$1 would be empty"
	chown "$2:$2" "$1.new"
	mv "$1.new" "$1"
	say "wrote $1"
}
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'; }
sha256() { tr -d '\n' < "$1" | sha256sum | cut -d ' ' -f 1; }

mkdir -p "$secrets/alertmanager"
chown "$alertmanager:$alertmanager" "$secrets/alertmanager"

[ -e "$deploy/.env" ] || say "MONEV112_HOST=$host" | put "$deploy/.env" 0
host=$(sed -n 's/^MONEV112_HOST=//p' "$deploy/.env")

[ -e "$secrets/clickhouse-writer" ] || random | put "$secrets/clickhouse-writer" $collector
[ -e "$secrets/clickhouse-reader" ] || random | put "$secrets/clickhouse-reader" $grafana
[ -e "$secrets/clickhouse-users.xml" ] || put "$secrets/clickhouse-users.xml" $clickhouse <<XML
<!-- Written by first-run.sh from clickhouse-writer and clickhouse-reader: remove all three to have new passwords. -->
<clickhouse>
    <users>
        <monev112_writer><password_sha256_hex>$(sha256 "$secrets/clickhouse-writer")</password_sha256_hex></monev112_writer>
        <monev112_reader><password_sha256_hex>$(sha256 "$secrets/clickhouse-reader")</password_sha256_hex></monev112_reader>
    </users>
</clickhouse>
XML
[ -e "$secrets/grafana-admin" ] || random | put "$secrets/grafana-admin" $grafana
[ -e "$secrets/grafana-secret-key" ] || random | put "$secrets/grafana-secret-key" $grafana

if [ ! -e "$secrets/tls.crt" ]; then
	command -v openssl > /dev/null || fail "openssl is missing: install it, or put a certificate at $secrets/tls.crt and its key at $secrets/tls.key"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 -subj "/CN=$host" \
		-addext "subjectAltName=DNS:$host" -keyout "$secrets/made.key" -out "$secrets/made.crt" 2> /dev/null ||
		fail "openssl made no certificate"
	put "$secrets/tls.key" $door < "$secrets/made.key"
	put "$secrets/tls.crt" $door < "$secrets/made.crt"
	rm "$secrets/made.key" "$secrets/made.crt"
	say "This certificate is signed by nobody: browsers will warn until the regency's own stands there."
fi

if [ ! -e "$deploy/compose/monev112.yaml" ]; then
	sed "s#https://112.example.go.id#https://$host#" "$here/monev112.example.yaml" | put "$deploy/compose/monev112.yaml" $collector
fi

# Until contacts are filled in nobody is told anything; Alertmanager's page shows what would be said.
if [ ! -e "$deploy/compose/contacts.yaml" ]; then
	sed 's#http://127.0.0.1:8112/#http://monev112:8112/#' "$here/../alertmanager/contacts.example.yaml" | put "$deploy/compose/contacts.yaml" 0
fi
if [ ! -e "$deploy/compose/alertmanager.yml" ]; then
	put "$deploy/compose/alertmanager.yml" $alertmanager <<'YAML'
# NOBODY IS TOLD YET. Fill in contacts.yaml and generate this file: docs/operations.md, "Prometheus, Alertmanager and Grafana".
route: { receiver: nobody, group_by: [alertname, center] }
receivers: [{ name: nobody }]
templates: [templates/*.tmpl]
YAML
fi

# A service that others can reach needs a key before its first start.
compose() { docker compose -f "$deploy/compose.yaml" "$@"; }
if [ ! -e "$secrets/alertmanager/monev112-log-key" ]; then
	if docker compose version > /dev/null 2>&1; then
		compose build monev112
		key=$(compose run --rm --no-deps -T monev112 key --data /var/lib/monev112 create alertmanager --scope alerts:log)
		say "$key" | put "$secrets/alertmanager/monev112-log-key" $alertmanager
	else
		say "Docker Compose is missing: install it and run this again, for the first API key."
		exit 0
	fi
fi
say "Ready: docker compose -f $deploy/compose.yaml up -d"
say "Grafana: https://$host/grafana/ as admin; the password is in $secrets/grafana-admin"
