#!/usr/bin/perl
# Includes follow src/layers, which has no cycle; fork stands in its homes only.
use strict;
use warnings;

(my $root = $0) =~ s{[^/]*$}{..};
chdir $root or die;

my %may;
open my $layers, '<', 'src/layers' or die "src/layers: $!";
for (<$layers>) { $may{$1} = { map { $_ => 1 } split ' ', $2 } if /^([^#\s]+):(.*)/ }
my $forks = delete $may{fork};
my (@wrong, @forks, @unknown);

for my $file (glob 'src/*/*.[ch]') {
	my ($path, $folder) = $file =~ m{^src/(([^/]+)/.+)};
	push @unknown, $folder unless $may{$folder};
	open my $in, '<', $file or die "$file: $!";
	while (<$in>) {
		push @wrong, "$file:$.: $1" if m{^#include "(([^/"]+)/[^"]+)"}
			&& $2 ne $folder && !$may{$folder}{$2} && !$may{$path}{$1} && $1 !~ /\.inc$/;
		push @forks, "$file:$." if !m{^\s*(/?\*|//)} && /\b(v?fork|_Fork|clone3?|rb_fork_ruby|vm_fork|fork_raises)\s*\(/
			&& !$forks->{$path} && !/^vm_fork|int vm_fork/ && $file !~ /\.h$/;
	}
}

# Take away who needs nobody that is left; a cycle stays.
my %left = map { $_ => $may{$_} } grep { !m{/} } keys %may;
while (my @free = grep { my $f = $_; !grep { $left{$_} } keys %{ $left{$f} } } keys %left) {
	delete @left{@free};
}

my $n = 0;
sub is_empty {
	my ($name, @found) = @_;
	print @found ? "not " : "", "ok ", ++$n, " - $name\n", map { "# $_\n" } @found;
}
is_empty('every folder of src stands in src/layers', @unknown);
is_empty('includes follow src/layers', @wrong);
is_empty('src/layers has no cycle', sort keys %left);
is_empty('fork stands in its homes only', @forks);
print "1..$n\n";
