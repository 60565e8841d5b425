# The words come from redis-agent itself, as for bash and zsh.
function __redis_agent_words
    set -l words (commandline -opc) (commandline -ct)
    redis-agent --get-yargs-completions $words 2>/dev/null | string replace -r '^([^:]+):(.*)$' '$1\t$2'
end
complete -c redis-agent -a '(__redis_agent_words)'
