# What the maintainer scripts of both kinds of package do, and scripts/install.sh. Put in front of each of them.

# The daemon reads a server's files through the server's group. Says whether there was one that it was not in yet.
join_groups() {
  joined=1
  for group in redis valkey; do
    getent group "$group" >/dev/null || continue
    id -nG redis-agent | tr ' ' '\n' | grep -qx "$group" && continue
    usermod -aG "$group" redis-agent && joined=0
  done
  return "$joined"
}

has_systemd() { [ -d /run/systemd/system ]; }

make_folders() {
  # Who may have a restore done without being root, and who does its parts; see redis-agent init --units.
  for group in redis-agent-admin redis-agent-hands; do
    getent group "$group" >/dev/null || groupadd --system "$group"
  done
  for folder in /etc/redis-agent /etc/redis-agent/secrets; do
    [ -d "$folder" ] || install -d -m 0750 -o root -g redis-agent "$folder"
  done
  # Root makes nothing in a folder of the daemon's that is there: a name in it may lead elsewhere.
  [ -d /var/lib/redis-agent ] || {
    install -d -m 0750 -o redis-agent -g redis-agent /var/lib/redis-agent
    install -d -m 0700 -o redis-agent -g redis-agent /var/lib/redis-agent/passwords
  }
}

# A daemon that runs is the old one; one that does not stays so. Started again once, and not while it is being replaced.
restart_running() {
  has_systemd || return 0
  systemctl daemon-reload || true
  systemctl try-restart redis-agent.service || true
}

stop_and_disable() {
  has_systemd || return 0
  for unit in redis-agent-enforce.timer redis-agent-restore.socket redis-agent-apply.socket redis-agent-switch.socket redis-agent-etc.socket redis-agent.service; do
    systemctl disable --now "$unit" >/dev/null 2>&1 || true
  done
  # Of redis-agent init --units.
  for unit in /etc/systemd/system/redis-agent-hands-*.socket; do
    [ -e "$unit" ] || continue
    systemctl stop "$(basename "$unit")" >/dev/null 2>&1 || true
    rm -f "$unit" "${unit%.socket}@.service"
  done
  rm -rf /etc/systemd/system/redis-agent-restore.socket.wants /etc/systemd/system/redis-agent-apply.socket.wants
}

# Everything that the agent writes for itself, by name: never a folder that may hold a repository or somebody's key.
remove_own_files() {
  state=/var/lib/redis-agent
  for name in state.db series.db; do
    rm -f "$state/$name" "$state/$name-wal" "$state/$name-shm" "$state/$name-journal"
  done
  rm -f "$state/alerts.ring" "$state/links.key"
  for name in locks scratch restore restore-keys notes aof keys benchmark; do
    [ ! -L "$state/$name" ] || continue
    rm -rf "${state:?}/$name"
  done
  rm -f /etc/redis-agent/config.yaml
  # Nobody else may know a password that lies there: only where nothing does.
  rmdir "$state/passwords" "$state/rotations" 2>/dev/null || true
  rmdir "$state" /etc/redis-agent/secrets /etc/redis-agent 2>/dev/null || true
  for left in "$state" /etc/redis-agent; do
    [ ! -d "$left" ] || echo "redis-agent: left as it is, since it may hold backups or keys: $left"
  done
}
