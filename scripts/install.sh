#!/bin/sh
# scripts/install.sh: installs redis-agent on this host without a package, from a checkout or from the unpacked archive that
# it lies in; again: the newer one in its place, started again if it runs. As root.
# --uninstall takes it away, but not what is configured, kept and backed up; --purge its own files too.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
list=/usr/lib/redis-agent/installed-files

fail() { echo "install.sh: $*" >&2; exit 1; }
mode=install
for word; do
  case $word in
    --uninstall) mode=uninstall ;;
    --purge) mode=purge ;;
    *) echo 'usage: install.sh [--uninstall | --purge]' >&2; exit 2 ;;
  esac
done
[ "$(id -u)" -eq 0 ] || fail "needs root: sudo $0 $*"

if [ -e "$here/common.sh" ]; then common=$here/common.sh; else common=$here/packaging/common.sh; fi
# shellcheck source=packaging/common.sh
. "$common"

if dpkg-query -W -f '${Status}' redis-agent 2>/dev/null | grep -q ' installed$'; then
  fail 'the package redis-agent is installed: use apt'
fi
if command -v rpm >/dev/null && rpm -q redis-agent >/dev/null 2>&1; then
  fail 'the package redis-agent is installed: use dnf'
fi

# remove_listed KEEP: what an earlier run has installed, but for what KEEP names.
remove_listed() {
  [ -e "$list" ] || return 0
  sort -r "$list" | while IFS= read -r path; do
    case $path in /usr/*/redis-agent* | /usr/*/_redis-agent) ;; *) continue ;; esac
    if grep -qxF -- "$path" "$1"; then continue; fi
    if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir "$path" 2>/dev/null || true; else rm -f "$path"; fi
  done
}

if [ "$mode" != install ]; then
  [ -e "$list" ] || fail "nothing was installed here by install.sh: there is no $list"
  stop_and_disable
  remove_listed /dev/null
  rm -f "$list"
  rmdir /usr/lib/redis-agent 2>/dev/null || true
  if has_systemd; then systemctl daemon-reload || true; fi
  if [ "$mode" = purge ]; then remove_own_files; fi
  echo 'redis-agent: removed'
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -d "$here/usr/lib/redis-agent" ]; then
  tree=$here
else
  echo 'redis-agent: building'
  "$here/build-packages" --arch "$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')" --only tree "$work/out" >/dev/null
  tree=$work/out/tree
fi
(cd "$tree" && find usr \( -type f -o -type l -o -type d \) -path '*redis-agent*' | sed 's,^,/,') >"$work/list"

getent passwd redis-agent >/dev/null ||
  useradd --system --user-group --home-dir /var/lib/redis-agent --no-create-home --shell /usr/sbin/nologin redis-agent
make_folders
remove_listed "$work/list"
# A program that runs cannot be written to: each file is put beside the old one and renamed.
(cd "$tree" && find usr -type d) | while IFS= read -r folder; do [ -d "/$folder" ] || install -d -m 0755 "/$folder"; done
(cd "$tree" && find usr -type f) | while IFS= read -r file; do
  cp -p --no-preserve=ownership "$tree/$file" "/$file.new"
  mv -f "/$file.new" "/$file"
done
cp "$work/list" "$list"
join_groups || true
restart_running
[ -e /etc/redis-agent/config.yaml ] ||
  echo 'redis-agent: next: sudo redis-agent init && sudo systemctl enable --now redis-agent'
echo "redis-agent: installed, $(redis-agent --version)"
