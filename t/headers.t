#!/bin/sh
# Each header compiles alone, so that includes may stand in any order.
cd "$(dirname "$0")/.." || exit 1
CC=${CC:-cc} RUBY=${RUBY:-ruby} n=0
ruby_flags=$("$RUBY" -rrbconfig -e 'c = RbConfig::CONFIG
	print "-isystem #{c["rubyhdrdir"]} -isystem #{c["rubyarchhdrdir"]}"')
for header in include/reforkd/*.h src/*/*.h; do
	n=$((n + 1)) flags=
	case $header in src/ruby/* | src/rack/* | src/worker/* | src/mold/*) flags=$ruby_flags ;; esac
	# shellcheck disable=SC2086
	if said=$(echo "#include \"$header\"" | $CC -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror \
		-Wno-unused-function -Isrc -Iinclude -I. $flags -fsyntax-only -x c - 2>&1); then
		echo "ok $n - $header"
	else
		echo "not ok $n - $header"
		echo "$said" | sed 's/^/# /'
	fi
done
echo "1..$n"
