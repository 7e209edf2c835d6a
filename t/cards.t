#!/usr/bin/perl
# Every header has its card: who runs it, who owns what, what fork does to it,
# and whether it may raise.
use strict;
use warnings;
(my $root = $0) =~ s{[^/]*$}{..};
chdir $root or die;

my @headers = glob 'include/reforkd/*.h src/*/*.h';
my $n = 0;
for my $file (@headers) {
	my $text = do { local (@ARGV, $/) = $file; <> };
	my ($card) = $text =~ m{\A/\*\n(.*?)\*/}s;
	my ($name) = $file =~ m{([^/]+)$};
	my @missing = grep { ($card // '') !~ /^ \* \Q$_\E +\S/m } 'Runs in:', 'Owns:', 'After fork:', 'Raises:';
	push @missing, "its first line, \"$name - ...\"" if ($card // '') !~ /\A \* \Q$name\E - \S/;
	print @missing ? "not " : "", "ok ", ++$n, " - $file has its card\n", map { "# missing: $_\n" } @missing;
}
print "1..$n\n";
