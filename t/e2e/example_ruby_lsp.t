#!/bin/sh
# examples/ruby-lsp with a language client over pipes: the index is there when a
# session begins.
. "$(dirname "$0")/lib.sh"
with_bundle examples/ruby-lsp

mkdir -p "$DIR/project/lib"
cat >"$DIR/project/lib/lighthouse.rb" <<'END'
class Lighthouse
  def blink
    :on
  end
end
END
cp "$ROOT/examples/ruby-lsp/"*.conf "$ROOT/examples/ruby-lsp/"*.rb "$DIR"
export PROJECT="$DIR/project"
AWAIT=120
start "$DIR/app.conf"
AWAIT=60

session() { # SYMBOL
	(cd "$PROJECT" && timeout 120 "${RUBY:-ruby}" "$ROOT/t/e2e/lsp_client.rb" \
		lib/lighthouse.rb "$1" "$REFORKCTL" -c "$CONF" lease) >"$DIR/session" 2>&1
	grep answered "$DIR/session" | diag >&3
	cat "$DIR/session"
}

first=$(session Lighthouse)
like 'a server answers' "$first" '^server Ruby LSP$'
like 'it reads the document' "$first" '^document Lighthouse'
like 'it knows the project at once' "$first" '^workspace true$'
like 'and ends as it should' "$first" '^status 0$'
cat >"$DIR/project/lib/harbour.rb" <<'END'
class HarbourMaster; end
END
knows() { session "$1" | grep -q '^workspace true$'; }
await 'a file that is newer than the mold' knows HarbourMaster
await 'leaves the spare worker' count 1 workers
finish
