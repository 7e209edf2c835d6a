#!/usr/bin/perl
# One door to Ruby: outside src/ruby, rb_* is called from *_raises functions
# only, and these only from each other or through ruby_try.
use strict;
use warnings;
(my $root = $0) =~ s{[^/]*$}{..};
chdir $root or die;

# These cannot raise, and are for other threads or signal handlers.
my %safe = map { $_ => 1 } qw(rb_postponed_job_trigger rb_postponed_job_preregister
	rb_postponed_job_register_one);
my (@calls, @unprotected);

for my $file (grep { !m{^src/ruby/} } glob 'src/*/*.c') {
	my $function = '';
	open my $in, '<', $file or die "$file: $!";
	while (<$in>) {
		$function = $1 if /^(\w+)\(/;
		next if m{^\s*(/?\*|//)} || $function =~ /_raises$/ || !/^\s/;
		push @calls, "$file:$.: $function calls $1" if /\b(rb_\w+)\s*\(/ && !$safe{$1};
		push @unprotected, "$file:$.: $function calls $1" if /\b(\w+_raises)\s*\(/;
	}
}
my $n = 0;
sub is_empty {
	my ($name, @found) = @_;
	print @found ? "not " : "", "ok ", ++$n, " - $name\n", map { "# $_\n" } @found;
}
is_empty('rb_* is called in *_raises functions only', @calls);
is_empty('*_raises functions are called by each other only', @unprotected);
print "1..$n\n";
