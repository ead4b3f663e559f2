#!/bin/sh
# Builds the Debian package: build.sh BINARY VERSION FOLDER. VERSION is what `git describe` says, or a Debian version.
# Needs nfpm (make tools puts it into .tools/bin).
set -eu
binary=$1 version=$2 out=$3
cd "$(dirname "$0")/../.."

# v0.3.1-4-gabcdef0-dirty is four changes after 0.3.1: 0.3.1+4.gabcdef0.dirty. What has no number comes before every release.
version=$(printf %s "$version" | sed -e 's/^v//' -e 's/-\([0-9]*\)-g/+\1.g/' -e 's/-dirty$/.dirty/' -e 's/[^0-9A-Za-z.+~]/./g')
case $version in [0-9]*.*) ;; *) version="0.0~$version" ;; esac

STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
install -m 0755 "$binary" "$STAGE/monev112"
gzip -9nc deploy/debian/monev112.1 > "$STAGE/monev112.1.gz"
gzip -9nc CHANGELOG.md > "$STAGE/changelog.gz"
sed 's#\.\./\.\./alerts/rules/#/usr/share/monev112/alerts/rules/#' deploy/prometheus/prometheus.yml > "$STAGE/prometheus.yml"
ARCH=${ARCH:-$(dpkg --print-architecture 2> /dev/null || echo amd64)}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2> /dev/null || date +%s)
export STAGE ARCH SOURCE_DATE_EPOCH VERSION="$version"
mkdir -p "$out"
"${NFPM:-.tools/bin/nfpm}" package --config deploy/debian/nfpm.yaml --packager deb --target "$out"
