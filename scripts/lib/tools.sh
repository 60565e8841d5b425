# Sourced at the top of the checkout: the project's own Node and the packages' programs come first in PATH (those
# programs are scripts for whatever `node` is found there).
node=$(scripts/node -p process.execPath)
PATH=${node%/*}:$PWD/node_modules/.bin:$PATH
export PATH
