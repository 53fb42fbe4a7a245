#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# table.pl [--markdown] FILE.csv: the tables of make bench, from its CSV, for the terminal or
# RESULTS.md.

use strict;
use warnings;

my $markdown = @ARGV && $ARGV[0] eq '--markdown' && shift;
my (%row, %unit, %seen);
my $ns_per_instruction = 2;
my $number = qr/([-\d.]+)/;

while (<>) {
	chomp;
	my ($kernel, $part, $what, $method, $n, $min, $median, $max, $rounds, $unit) =
		/^([^,]*),([^,]*),(.*),([^,]*),(\d+),$number,$number,$number,(\d+),([^,]*)$/
		or next;
	$row{"$kernel|$part|$what|$method|$n"} =
		{ min => $min, median => $median, max => $max, rounds => $rounds };
	$seen{$part}{$what}{$n} = 1;
}

sub get {
	my ($kernel, $part, $what, $method, $n) = @_;
	return $row{"$kernel|$part|$what|$method|$n"};
}

# A figure and half of what lies between the best and the worst round, in percent
sub figure {
	my $r = shift;
	return '' unless $r;
	my $text = number($r->{median});
	my $spread = $r->{median} > 0 ? 50 * ($r->{max} - $r->{min}) / $r->{median} : 0;
	return $spread >= 1 ? sprintf('%s ±%.0f%%', $text, $spread) : $text;
}

# Three digits that count
sub number {
	my $x = shift;
	return '0' if $x == 0;
	return sprintf('%.0f', $x) if abs($x) >= 100;
	return sprintf('%.1f', $x) if abs($x) >= 10;
	return sprintf('%.2f', $x) if abs($x) >= 1;
	return sprintf('%.3f', $x);
}

sub table {
	my ($title, @lines) = @_;
	return if @lines < 2;
	print "\n$title\n\n";
	if ($markdown) {
		my $head = shift @lines;
		print '| ', join(' | ', @$head), " |\n|", '---|' x @$head, "\n";
		print '| ', join(' | ', @$_), " |\n" for @lines;
		return;
	}
	my @width;
	for my $line (@lines) {
		for my $i (0 .. $#$line) {
			(my $plain = $line->[$i]) =~ s/[\x80-\xbf]//g;
			$width[$i] //= 0;
			$width[$i] = length $plain if length($plain) > $width[$i];
		}
	}
	for my $line (@lines) {
		my $text = '';
		for my $i (0 .. $#$line) {
			(my $plain = $line->[$i]) =~ s/[\x80-\xbf]//g;
			my $pad = ' ' x ($width[$i] - length $plain);
			$text .= $i ? "  $pad$line->[$i]" : "  $line->[$i]$pad";
		}
		print "$text\n";
	}
}

# Freeze and thaw
my @kinds = ('mix', 'nanosleep', 'epoll_wait', 'pipe read', 'pause', 'spin');
my %sizes = map { $_ => 1 } map { keys %$_ } values %{ $seen{crowd} // {} };
my @sizes = sort { $b <=> $a } keys %sizes;
my @lines = (['processes', '', 'this series', 'unpatched v1', 'cgroup v2', 'SIGSTOP', 'bare walk']);
for my $n (@sizes) {
	for my $kind (@kinds) {
		# RESULTS.md has all kinds of the largest crowd only.
		next if $markdown && $n != $sizes[0] && $kind ne 'spin' &&
			$kind ne ($n < 4 ? 'nanosleep' : 'mix');
		for my $what ('freeze', $kind eq 'spin' ? 'thaw, write' : 'thaw, all work') {
			my @cells = map { figure(get(@$_)) } (
				['ours', 'crowd', "$kind: $what", 'v1', $n],
				['vanilla', 'crowd', "$kind: $what", 'v1', $n],
				['vanilla', 'crowd', "$kind: $what", 'v2', $n],
				['vanilla', 'crowd', "$kind: $what", 'SIGSTOP', $n],
				['ours', 'crowd', "$kind: walk", '-', $n]);
			next unless grep { $_ ne '' } @cells;
			push @lines, ["$n $kind", $what, @cells];
		}
	}
}
table('Freeze, until it is known, and thaw; microseconds, median and half of the spread:', @lines);

# Hot paths: the medians of 400 rounds. The shortest are free of ticks, but may be of a path that is
# taken now and then only.
@lines = (['path', 'without the option', 'nothing frozen', '', '1000 frozen elsewhere', '',
	   'unpatched']);
for my $what (sort keys %{ $seen{hot} // {} }) {
	my ($without, $again, $nothing, $elsewhere, $vanilla) = map {
		my $r = get($_->[0], 'hot', $what, $_->[1], 0);
		$r ? $r->{median} / $ns_per_instruction : undef
	} (['without', 'nothing'], ['without', 'elsewhere'],
	   ['ours', 'nothing'], ['ours', 'elsewhere'], ['vanilla', 'nothing']);
	# Each is compared with what was measured in the same place of the same sequence.
	my $more = sub {
		defined $_[0] && $_[1] ? sprintf('%+.2f %%', 100 * ($_[0] / $_[1] - 1)) : ''
	};
	my $count = sub { defined $_[0] ? sprintf('%.1f', $_[0]) : '' };
	push @lines, [$what, $count->($without),
		      $count->($nothing), $more->($nothing, $without),
		      $count->($elsewhere), $more->($elsewhere, $again), $count->($vanilla)];
}
table('Paths of tasks that nobody freezes; instructions of user program and kernel:', @lines);

# Reading
@lines = (['read freezer.state', 'this series', 'unpatched v1']);
for my $what (sort keys %{ $seen{read} // {} }) {
	my ($n) = sort { $b <=> $a } keys %{ $seen{read}{$what} };
	push @lines, [$what, map { figure(get($_, 'read', $what, 'v1', $n)) } ('ours', 'vanilla')];
}
table('Reading the state of the largest crowd; microseconds:', @lines);

# Taking turns
my @ways = (['this series', 'ours', 'v1'], ['unpatched v1', 'vanilla', 'v1'],
	    ['cgroup v2', 'vanilla', 'v2'], ['SIGSTOP', 'vanilla', 'SIGSTOP']);
my @figures = (
	['overhead', 'overhead, %'],
	['switch', 'switch, median us'],
	['late turns', 'turns that began late, %'],
	['share of the first job', 'share of the first job, %, least to most'],
	['patched, first freeze', 'places of code patched: first freeze'],
	['patched, all turns', '... in all turns after it']);
@lines = (['', map { $_->[0] } @ways]);
for (@figures) {
	my ($what, $title) = @$_;
	my ($n) = sort { $b <=> $a } keys %{ $seen{slice}{$what} // {} };
	next unless defined $n;
	push @lines, [$title, map {
		my $r = get($_->[1], 'slice', $what, $_->[2], $n);
		!$r ? '' :
			$what =~ /share/ ? sprintf('%.2f to %.2f', $r->{min}, $r->{max}) :
			$what =~ /patched/ ? sprintf('%d', $r->{median}) : number($r->{median})
	} @ways];
}
table('Two jobs of 1000 processes, 8 of them busy, in turn, 10 ms each:', @lines);

# Memory
@lines = (['bytes', 'this series', 'without the option', 'unpatched']);
for my $what (sort { $b cmp $a } keys %{ $seen{mem} // {} }) {
	my ($n) = keys %{ $seen{mem}{$what} };
	push @lines, [$what, map {
		my $r = get($_, 'mem', $what, $what =~ /freezer/ ? 'v1' : '-', $n);
		$r ? sprintf('%.0f', $r->{median}) : ''
	} ('ours', 'without', 'vanilla')];
}
table('Memory:', @lines);
