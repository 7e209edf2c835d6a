#!/bin/sh
# What is said elsewhere is so: no Ruby in the master, no dead links, a line in
# the manual for every verb, setting and directive.
cd "$(dirname "$0")/.." || exit 1
B=${B:-build} RUBY=${RUBY:-ruby} n=0

empty() { # NAME, WHAT IS WRONG
	n=$((n + 1))
	if [ -z "$2" ]; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

lacks() { # MANUAL; prints the words of stdin that have no ".It Ic" or ".It Cm"
	while read -r word; do
		grep -Eq "^\.It (Ic|Cm) $word( |\$)" "$1" || echo "$1: $word"
	done
}

dead_links() {
	git ls-files '*.md' | while read -r page; do
		grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '^[a-z]*:' | while read -r link; do
			[ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
		done
	done
}

if [ -x "$B/reforkd" ]; then
	empty 'the master is linked without libruby' "$(ldd "$B/reforkd" | grep ruby)"
else
	n=$((n + 1)) && echo "ok $n - the master # SKIP no $B/reforkd"
fi
empty 'links between the pages lead somewhere' "$(dead_links)"
empty 'every verb stands in reforkctl.8' "$(
	sed -n 's/^VERB(\([a-z]*\),.*/\1/p' include/reforkd/verbs.def | lacks docs/reforkctl.8)"
empty 'every setting stands in reforkd.conf.5' "$(
	sed -n 's/^SETTING(\([a-z_]*\),.*/\1/p' include/reforkd/settings.def | lacks docs/reforkd.conf.5)"
empty 'every directive stands in reforkd.conf.5' "$("$RUBY" -e '
	module Reforkd; SETTINGS = Hash.new([0, 0, 0, 0]); end
	%w[config listen malloc collector limits server pools lease tasks boot].each { |f| require "./src/mold/#{f}" }
	puts Reforkd::Config.directives' | lacks docs/reforkd.conf.5)"
echo "1..$n"
