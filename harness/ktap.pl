#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# ktap.pl RESULTS: read what the guest's programs print (harness/guest/init tells how it is framed),
# show it while it comes, and write the counts to the file RESULTS.
#
# A result counts where a program planned it. What a program planned and did not report is missing,
# a program without a plan is missing, and so is a program that was never begun: each is a failure.
# So is a program that reports success and exits with another status. On the terminal a passed test
# is a line; a failed one also what it said. V=1 shows everything.

use strict;
use warnings;

my $results = shift or die "usage: ktap.pl RESULTS\n";
my $verbose = $ENV{V};
my $tty = -t STDOUT;
my ($red, $green, $yellow, $plain) = $tty ? ("\e[31m", "\e[32m", "\e[33m", "\e[m") : ('') x 4;
my %sum = map { $_ => 0 } qw(passed failed skipped missing timeouts);
my ($programs, $begun, @bad) = (0, 0);
my ($name, $which, $plan, $seen, $program_failed, $program_skipped, $program_passed, @said);

# What a program of kselftest_harness.h prints anyway
my $noise = qr/^(?:K?TAP version|# Starting|# (?:PASSED|FAILED|Totals)| *#\s+(?:RUN|OK) )/;

$| = 1;

sub verdict_on {
	my ($kind, $what, $why) = @_;
	$sum{$kind}++;
	push @bad, "$kind: $what" . (defined $why && $why ne '' ? " ($why)" : '');
}

sub begin_program {
	($which, $name) = @_;
	($plan, $seen, $program_failed, $program_skipped, $program_passed) = (undef, 0, 0, 0, 0);
	@said = ();
	$begun++;
}

sub missing {
	my ($n, $why) = @_;
	$sum{failed} += $n;
	$sum{missing} += $n;
	$program_failed += $n;
	push @bad, "missing: $name ($why)";
	print "$red      $name: $why$plain\n";
}

sub end_program {
	my ($status, $seconds) = @_;
	return unless defined $name;
	if ($status eq 'timeout') {
		$sum{timeouts}++;
		$program_failed++;
		verdict_on('failed', $name, 'time limit');
		print map { "      | $_\n" } @said > 20 ? @said[-20 .. -1] : @said;
		print "$red      $name: stopped at its time limit, after $seconds s$plain\n";
	}
	if (!defined $plan) {
		missing(1, $status eq 'none' ? 'broken off before its plan'
					     : "no plan, status $status");
	} elsif ($seen < $plan) {
		missing($plan - $seen, "$seen results of $plan planned");
	} elsif ($seen > $plan) {
		$program_failed++;
		verdict_on('failed', $name, "$seen results, $plan planned");
	} elsif ($status ne '0' && $status ne 'timeout' && !$program_failed &&
		 !($status eq '4' && $program_skipped)) {
		$program_failed++;
		verdict_on('failed', $name, "exit status $status");
		print "$red      $name: exit status $status, but no test failed$plain\n";
	}
	my $text = "$program_passed passed, $program_failed failed";
	$text .= ", $program_skipped skipped" if $program_skipped;
	my $colour = $program_failed ? $red : $program_skipped ? $yellow : $green;
	print "$colour\[$which] $name: $text, $seconds s$plain\n";
	undef $name;
}

sub result {
	my ($not, $text) = @_;
	my ($what, $directive) =
		$text =~ /^\s*(?:\d+)?\s*(?:-\s+)?(.*?)\s*(?:#\s*((?:SKIP|XFAIL)\b.*))?$/i;
	$seen++;
	my $n = defined $plan ? "$seen/$plan" : $seen;
	if (defined $directive && $directive =~ /^SKIP/i) {
		$program_skipped++;
		verdict_on('skipped', "$name: $what", $directive);
		print "$yellow      skip   $n $what # $directive$plain\n";
	} elsif ($not && !(defined $directive && $directive =~ /^XFAIL/i)) {
		$program_failed++;
		verdict_on('failed', "$name: $what");
		print map { "      | $_\n" } @said unless $verbose;
		print "$red      not ok $n $what$plain\n";
	} else {
		$program_passed++;
		$sum{passed}++;
		print "      ok     $n $what\n";
	}
	@said = ();
}

while (my $line = <STDIN>) {
	$line =~ s/[\r\n]+$//;
	if ($line =~ /^### plan (\d+)/) {
		$programs = $1;
	} elsif ($line =~ /^### unmatched (\S+)/) {
		push @bad, "missing: TESTS: no test program matches $1";
		print "${red}TESTS: no test program matches $1$plain\n";
	} elsif ($line =~ /^### leave (\S+) (.*)/) {
		push @bad, "left out: $1 ($2)";
	} elsif (defined $name && $line =~ /^# left out of this world: (.*)/) {
		push @bad, "left out: $name: $1";
	} elsif ($line =~ m{^### begin (\d+/\d+) (\S+) (\d+)}) {
		end_program('none', '?');
		begin_program($1, $2);
		print "[$which] $name, at most $3 s\n";
	} elsif ($line =~ /^### end (\S+) (\S+) (\d+)/) {
		end_program($2, $3);
	} elsif (!defined $name) {
		print "$line\n" if $line ne '';
	} else {
		print "      | $line\n" if $verbose;
		if ($line =~ /^1\.\.(\d+)(?:\s*#\s*(SKIP.*))?/i && !defined $plan) {
			$plan = $1;
			if (!$plan) {
				$program_skipped++;
				my $why = $2 // 'nothing planned';
				verdict_on('skipped', $name, $why);
				print "$yellow      skip   $name # $why$plain\n";
			}
		} elsif ($line =~ /^(not )?ok\b(.*)/) {
			result($1, $2);
		} elsif ($line =~ /\S/ && $line !~ $noise) {
			push @said, $line;
			shift @said if @said > 200;
		}
	}
}
# The guest ended in the middle of a program, or before it began all of them.
end_program('none', '?');
if ($begun < $programs) {
	my $n = $programs - $begun;
	$sum{failed} += $n;
	$sum{missing} += $n;
	push @bad, "missing: $n of $programs programs were not begun";
}

open my $out, '>', $results or die "$results: $!\n";
print $out "$_ $sum{$_}\n" for sort keys %sum;
print $out "programs $programs\n";
print $out "$_\n" for @bad;
close $out or die "$results: $!\n";
