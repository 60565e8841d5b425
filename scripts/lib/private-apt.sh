# Sourced by the scripts that fetch programs of other Debian releases. Gives apt a state of its own, so that the
# machine's configuration, package lists and installed packages stay as they are; only the mirror, proxy and
# certificates that the machine's apt is configured with are used. Needs no root.
# shellcheck shell=bash

# shellcheck disable=SC2034 # for the caller
cache=${REDIS_AGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/redis-agent}

# Can every user get into the cache? Only root has others in it.
reachable() {
  local place
  [ "$(id -u)" -eq 0 ] || return 0
  place=$(readlink -m -- "$cache")
  while [ "$place" != / ]; do
    if [ -e "$place" ] && [ $((0$(stat -c %a -- "$place") & 1)) -eq 0 ]; then return 1; fi
    place=$(dirname -- "$place")
  done
}

# What the last command of `quietly` said, and why the last function failed: for the one line that the caller prints.
output='' why=''

# Runs a command and keeps what it says in `output`; on failure sets `why` to apt's own first error, in one line.
quietly() {
  output=$("$@" 2>&1) && return
  why=$(sed -n 's/^E: //p' <<<"$output" | head -1)
  why=${why:-$(tail -1 <<<"$output")}
  return 1
}

# To be called before anything below. One run at a time writes into the cache; `apt` is removed at the end.
begin_fetching() {
  why="cannot write to $cache"
  mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || return
  exec 9>"$cache/.lock"
  flock 9
  apt=$(mktemp -d)
  trap 'rm -rf "$apt"' EXIT
}

# Prints the mirror of the machine's own release, whether or not its package lists were ever fetched.
mirror() {
  apt-get update --print-uris 2>/dev/null |
    sed -n "s,^'\(.*\)/dists/\([^/']*\)/InRelease'.*,\2 \1,p" |
    awk -v own="$(. /etc/os-release && echo "${VERSION_CODENAME:-stable}")" '
      $1 ~ /security/ { next }
      $1 == own && !exact { exact = $2 }
      !any { any = $2 }
      END { if (!any) exit 1; print exact ? exact : any }'
}

# Prints the keys that sign Debian's releases: the machine's, or else unpacked beside our own state.
keyring() {
  local name=usr/share/keyrings/debian-archive-keyring.gpg
  if [ -r "/$name" ]; then
    echo "/$name"
    return
  fi
  if [ ! -r "$apt/$name" ]; then
    (cd "$apt" && apt-get download -qq debian-archive-keyring && dpkg -x debian-archive-keyring_*.deb .) >/dev/null 2>&1 ||
      return 1
  fi
  echo "$apt/$name"
}

# prepare_suite SUITE: fetches the suite's package lists once in this run.
prepare_suite() {
  local suite=$1 from keys
  if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
    why='this machine has no apt'
    return 1
  fi
  [ -e "$apt/$suite/ready" ] && return
  from=$(mirror) || { why="apt is configured with no mirror"; return 1; }
  keys=$(keyring) || { why='the package debian-archive-keyring cannot be had'; return 1; }
  mkdir -p "$apt/$suite/state/lists/partial" "$apt/$suite/cache/archives/partial"
  : >"$apt/$suite/status"
  echo "deb [signed-by=$keys] $from $suite main" >"$apt/$suite/sources.list"
  # Read after the machine's own configuration, which brings proxies and certificates, and perhaps hooks.
  cat >"$apt/$suite/apt.conf" <<END
Dir::State "$apt/$suite/state";
Dir::State::status "$apt/$suite/status";
Dir::Cache "$apt/$suite/cache";
Dir::Etc::sourcelist "$apt/$suite/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Update::Error-Mode "any";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
END
  if ! quietly apt-get -c "$apt/$suite/apt.conf" update -qq; then
    why="no package lists of Debian $suite: $why"
    return 1
  fi
  touch "$apt/$suite/ready"
}

# fetch_packages SUITE DIR PATTERN PACKAGE...: unpacks the packages and everything they need whose name matches the
# Perl regular expression PATTERN into DIR, all from one suite.
fetch_packages() {
  local suite=$1 dir=$2 pattern=$3 names package
  shift 3
  prepare_suite "$suite" || return
  quietly apt-get -c "$apt/$suite/apt.conf" install --simulate "$@" || return
  mapfile -t names < <(awk '$1 == "Inst" { print $2 }' <<<"$output" | grep -P "$pattern")
  rm -rf "$dir"
  mkdir -p "$dir/packages"
  quietly env -C "$dir/packages" apt-get -c "$apt/$suite/apt.conf" download -qq "${names[@]}" || return
  for package in "$dir"/packages/*.deb; do quietly dpkg -x "$package" "$dir" || return; done
  rm -rf "$dir/packages"
}

# make_standalone DIR PROGRAM...: lets the programs run by themselves, with the loader and libraries that were unpacked
# into DIR. So the program of the running process is the server itself, with its tools beside it, as when installed.
make_standalone() {
  local dir=$1 tools=$cache/patchelf loader program patchelf
  shift
  if [ ! -e "$tools/ready" ]; then
    fetch_packages bookworm "$tools" '^(patchelf|lib)' patchelf || return
    touch "$tools/ready"
  fi
  patchelf=("$(loader_of "$tools")" --library-path "$(libraries_of "$tools")" "$tools/usr/bin/patchelf")
  loader=$(loader_of "$dir")
  for program; do
    [ -h "$program" ] && continue
    # RPATH, and not RUNPATH, is also where the libraries of the libraries are looked for.
    quietly "${patchelf[@]}" --set-interpreter "$loader" --force-rpath --set-rpath "$(libraries_of "$dir")" "$program" || return
  done
}

loader_of() {
  find "$1" -name 'ld-linux*.so.*' | head -1
}

libraries_of() {
  local folders
  folders=$(find "$1/lib" "$1/usr/lib" -maxdepth 2 '(' -name '*-linux-gnu*' -o -name ceph ')' -type d 2>/dev/null | tr '\n' ':')
  echo "${folders%:}"
}
