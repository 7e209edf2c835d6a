#!/bin/sh
# examples/solargraph, a language server by the generic means only: sessions of a
# client over pipes and of Neovim, with a lease and with a relay.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/editor.sh"
with_bundle examples/solargraph

mkdir -p "$DIR/project/lib"
cat >"$DIR/project/lib/lighthouse.rb" <<'EOF'
class Lighthouse
  def blink
    :on
  end
end
EOF
cp "$ROOT/examples/solargraph/app.conf" "$DIR"
export SOLARGRAPH_CACHE="$B/solargraph" # what it knows of the core: once for all runs
AWAIT=120
start "$DIR/app.conf"
cd "$DIR/project" || exit 1

first=$(timeout 120 "${RUBY:-ruby}" "$ROOT/t/e2e/lsp_client.rb" lib/lighthouse.rb Lighthouse \
	"$REFORKCTL" -c "$CONF" lease 2>&1)
printf '%s\n' "$first" | grep answered | diag
like 'it reads the document' "$first" '^document Lighthouse blink'
like 'it knows the project' "$first" '^workspace true$'
like 'and ends as it should' "$first" '^status 0$'
neovim_is_served lib/lighthouse.rb '^then Lighthouse gleam$'
await 'leaves the spare worker' count 1 workers
finish
