#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# mails.pl: what the mails of patches/ say. CONTRIBUTING.md, "The patches", has the layout.
#
# mails.pl compose PATCHES BASE DIR     the mails of BASE, complete, and their list DIR/series
# mails.pl bases PATCHES                the bases, the main one first
# mails.pl main PATCHES BASE            "patch base": for each patch of BASE the base of its mail
# mails.pl commit MAIL NAME DIR         DIR/{author,email,date,message}: what to commit
# mails.pl names MAIL KIND              the paths of the lines "KIND: path"; KIND diff: of its hunks
# mails.pl diff MAIL [PATH...]          the file diffs of these paths, or all
# mails.pl override MAIN MAIL OUT OWN [PATH...]
#                                       OUT: what MAIL has other than MAIN, which does for these
#                                       paths.
#                                       OWN=1: the message, too
# mails.pl normal MAIL                  the mail in the form in which patches/ has it
# mails.pl message MAIL                 its message and notes; status 2: it has none
# mails.pl order PATCHES BASE LIST      patches/series, now that BASE has the patches of LIST in
#                                       this order

use strict;
use warnings;

# complain TEXT
sub complain { print STDERR "@_\n"; exit 1 }

# patches/NAME, as the user knows it
sub shown { my $file = shift; $file =~ s,.*/(patches/),$1,; return $file }

sub slurp {
	my $file = shift;
	open my $in, '<', $file or complain shown($file) . ": $!";
	local $/;
	return scalar(<$in>) // '';
}

sub spit {
	my ($file, $text) = @_;
	open my $out, '>', $file or complain "$file: $!";
	print $out $text;
	close $out or complain "$file: $!";
}

# parse FILE: {message, notes, named => [[kind, path]...], kind => {path => kind}, order =>
# [path...], diff => {path => text}}. The message is that of a mail, headers and all, or undef.
sub parse {
	my $file = shift;
	my @lines = split /^/, slurp($file);
	my %mail = (notes => '', named => [], kind => {}, order => [], diff => {});
	my ($where, $path, $old, $new) = ('tail', undef, 0, 0);
	if (@lines && $lines[0] =~ /^From /) {
		$where = 'message';
		$mail{message} = '';
	}
	my $n = 0;
	for (@lines) {
		$n++;
		if ($where eq 'hunk') {
			$mail{diff}{$path} .= $_;
			$old-- if /^[- ]/ || /^$/;
			$new-- if /^[+ ]/ || /^$/;
			!/^[-+ \\]/ && !/^$/ and
				complain shown($file) . ":$n: not a line of a hunk";
			$where = 'diff' if $old <= 0 && $new <= 0;
		} elsif (/^diff --git a\/(.*) b\/(.*)$/) {
			($where, $path) = ('diff', $2);
			exists $mail{diff}{$path} and
				complain shown($file) . ":$n: $path: a second time";
			push @{$mail{order}}, $path;
			$mail{diff}{$path} = $_;
		} elsif (/^---$/) {
			$where = 'tail';
		} elsif ($where eq 'message') {
			$mail{message} .= $_;
		} elsif ($where eq 'diff' && /^-- $/) {
			last;
		} elsif ($where eq 'diff') {
			# An old object name says nothing here, and changes all the time.
			$mail{diff}{$path} .= $_ if !/^index /;
			if (/^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/) {
				($old, $new) = ($1 // 1, $2 // 1);
				$where = 'hunk' if $old + $new > 0;
			} elsif (!/^(index|---|\+\+\+|(old|new) mode|(deleted|new) file|\\) ?/) {
				chomp;
				complain shown($file) . ":$n: neither a hunk nor a diff: $_";
			}
		} elsif (/^(New|Removed|Untouched)-file: *(.*\S)/) {
			$mail{kind}{$2} and complain shown($file) . ":$n: $2: a second time";
			push @{$mail{named}}, ["$1-file", $2];
			$mail{kind}{$2} = "$1-file";
		} elsif (!/^ .*\|/ && !/^ \d+ files? changed/) {
			$mail{notes} .= $_;
		}
	}
	complain shown($file) . ': ends in the middle of a hunk' if $where eq 'hunk';
	for ($mail{message}, $mail{notes}) {
		next if !defined;
		s/^\n+//;
		s/\n*\z/\n/ if $_ ne '';
	}
	return \%mail;
}

# text MAIL: the mail as it is written
sub text {
	my $mail = shift;
	my $text = defined $mail->{message} ? "$mail->{message}---\n" : '';
	$text .= "$_->[0]: $_->[1]\n" for @{$mail->{named}};
	$text .= "\n" if @{$mail->{named}} && $mail->{notes} ne '';
	$text .= $mail->{notes};
	$text .= "\n" if $text ne '' && %{$mail->{diff}};
	return $text . join '', map { $mail->{diff}{$_} } sort keys %{$mail->{diff}};
}

# read_series PATCHES: the bases, and a list of {lead, name, bases}, and what stands at the end
sub read_series {
	my $file = "$_[0]/series";
	my ($lead, @bases, @list, %seen) = ('');
	for (split /^/, slurp($file)) {
		if (/^bases:\s*(.*\S)/) {
			@bases = split ' ', $1;
			$lead .= $_;
		} elsif (/^\s*(#|$)/) {
			$lead .= $_;
		} else {
			my ($name, @only) = split;
			@bases or complain 'patches/series: a patch before the line "bases: ..."';
			complain "patches/series: $name is there twice" if $seen{$name}++;
			for my $base (@only) {
				grep { $_ eq $base } @bases or
					complain "patches/series: $name: there is no base $base";
			}
			my %only = map { $_ => 1 } @only ? @only : @bases;
			push @list, {lead => $lead, name => $name, bases => \%only};
			$lead = '';
		}
	}
	return \@bases, \@list, $lead;
}

# main_base BASES ENTRY: the first base that has the patch
sub main_base {
	my ($bases, $entry) = @_;
	return (grep { $entry->{bases}{$_} } @$bases)[0];
}

# compose_one MAIN OVERRIDE FILE
sub compose_one {
	my ($main, $over, $file) = @_;
	my %named = (%{$over->{kind}}, %{$over->{diff}});
	my %mail = (message => $main->{message}, notes => $main->{notes},
		    diff => {%{$over->{diff}}});
	@mail{'message', 'notes'} = @$over{'message', 'notes'} if defined $over->{message};
	for my $path (grep { $over->{kind}{$_} eq 'Untouched-file' } keys %{$over->{kind}}) {
		next if $main->{kind}{$path} || $main->{diff}{$path};
		complain "$file: Untouched-file: $path: nor does the mail of all bases touch it";
	}
	$named{$_} or $mail{diff}{$_} = $main->{diff}{$_} for keys %{$main->{diff}};
	$mail{named} = [(grep { !$named{$_->[1]} } @{$main->{named}}),
			(grep { $_->[0] ne 'Untouched-file' } @{$over->{named}})];
	return \%mail;
}

sub compose {
	my ($patches, $base, $dir) = @_;
	my ($bases, $list) = read_series($patches);
	my (%listed, %over);
	my $names = '';
	for my $entry (@$list) {
		my $name = $entry->{name};
		$listed{$name} = 1;
		-f "$patches/$name" or complain "patches/series: there is no patches/$name";
		next if !$entry->{bases}{$base};
		$names .= "$name\n";
		my $mail = parse("$patches/$name");
		my $message = $mail->{message} // '';
		if ($message !~ /^From: .+ <.*>$/m || $message !~ /^Subject: ./m) {
			complain "patches/$name is not a mail with From: and Subject:";
		}
		grep { $_->[0] eq 'Untouched-file' } @{$mail->{named}} and
			complain "patches/$name: Untouched-file: is for what differs on a base";
		my $file = "$patches/$base/$name";
		if ($base ne main_base($bases, $entry)) {
			$over{$name} = 1;
			if (-f $file) {
				my $over = parse($file);
				!defined $over->{message} && $over->{notes} ne '' and
					complain "patches/$base/$name: no message, but notes:\n",
						 $over->{notes};
				$mail = compose_one($mail, $over, "patches/$base/$name");
			}
		}
		@{$mail->{named}} || %{$mail->{diff}} or
			complain "patches/$name changes nothing on $base: no hunks, no new files";
		spit("$dir/$name", text($mail));
	}
	for my $file (glob "$patches/*.patch $patches/$base/*.patch") {
		my $name = $file =~ s,.*/,,r;
		next if $file eq "$patches/$name" ? $listed{$name} : $over{$name};
		my $why = $file eq "$patches/$name" ? 'not in patches/series' :
			$listed{$name} ? "patches/$name is for it already, or is not for $base" :
			'of no patch of patches/series';
		complain shown($file) . ": $why. next:  mend patches/series, or remove it";
	}
	spit("$dir/series", $names);
}

sub order {
	my ($patches, $base, $file) = @_;
	my ($bases, $list, $end) = read_series($patches);
	my @names = split /\n/, slurp($file);
	my %now = map { $_ => 1 } @names;
	my %entry = map { $_->{name} => $_ } @$list;
	my $is_new = !grep { $_ eq $base } @$bases;
	push @$bases, $base if $is_new;
	$list->[0]{lead} =~ s/^(bases:.*\S)/$1 $base/m if $is_new && @$list;
	# What BASE does not have stays behind what it stands behind.
	my ($anchor, %behind) = ('');
	for my $entry (@$list) {
		if ($now{$entry->{name}}) {
			$anchor = $entry->{name};
			$entry->{bases}{$base} = 1;
			next;
		}
		if (delete $entry->{bases}{$base}) {
			my $left = join ' ', grep { $entry->{bases}{$_} } @$bases;
			$left ne '' and
				print STDERR "$entry->{name}: $base no longer has it, $left ",
					"still. next:  say why above its line in patches/series\n";
		}
		push @{$behind{$anchor}}, $entry;
	}
	for my $name (@names) {
		next if $entry{$name};
		# What the main base has is for all.
		my @for = $base eq $bases->[0] ? @$bases : ($base);
		$entry{$name} = {lead => '', name => $name, bases => {map { $_ => 1 } @for}};
	}
	my @result = (@{$behind{''} // []}, map { ($entry{$_}, @{$behind{$_} // []}) } @names);
	# The head of the file stays at its head.
	if (@$list && @result && $result[0] != $list->[0]) {
		my ($head, $own) = $list->[0]{lead} =~ /\A(.*^bases:[^\n]*\n\n?)(.*)\z/ms;
		$list->[0]{lead} = $own;
		$result[0]{lead} = $head . $result[0]{lead};
	}
	my $text = '';
	for my $entry (@result) {
		my @for = grep { $entry->{bases}{$_} } @$bases;
		if (!@for) {
			print STDERR "$entry->{name}: no base has it any more\n";
			$end = $1 . $end if $entry->{lead} =~ /\A(.*^bases:[^\n]*\n\n?)/ms;
			next;
		}
		$text .= $entry->{lead} . $entry->{name};
		$text .= "\t@for" if @for < @$bases;
		$text .= "\n";
	}
	spit("$patches/series", $text . $end);
}

sub commit {
	my ($file, $name, $dir) = @_;
	my $mail = parse($file);
	my ($head, $body) = split /\n\n/, $mail->{message}, 2;
	$head =~ s/\n[ \t]+/ /g;
	my ($author, $email) = $head =~ /^From: *(.*?) *<(.*)>/m or
		complain shown($file) . ': no From:';
	my ($subject) = $head =~ /^Subject: *(?:\[[^\]]*\] *)?(.*)/m or
		complain shown($file) . ': no Subject:';
	my ($date) = $head =~ /^Date: *(.*)/m;
	$author =~ s/^"(.*)"$/$1/;
	spit("$dir/author", "$author\n");
	spit("$dir/email", "$email\n");
	spit("$dir/date", ($date // '') . "\n");
	my $tail = text({named => $mail->{named}, notes => $mail->{notes}, diff => {}});
	spit("$dir/message", "$subject\n\n" . ($body // '') . "---\nPatch-file: $name\n$tail");
}

sub override {
	my ($main_file, $file, $out, $own, @shared) = @_;
	my ($main, $mail) = (parse($main_file), parse($file));
	my %shared = map { $_ => 1 } @shared;
	my %over = (notes => '', diff => {}, named => []);
	@over{'message', 'notes'} = @$mail{'message', 'notes'} if $own;
	for my $path (keys %{$mail->{diff}}) {
		$over{diff}{$path} = $mail->{diff}{$path} if !$shared{$path};
	}
	for (@{$mail->{named}}) {
		push @{$over{named}}, $_ if ($main->{kind}{$_->[1]} // '') ne $_->[0];
	}
	for my $path (sort keys %{$main->{diff}}, keys %{$main->{kind}}) {
		$mail->{diff}{$path} || $mail->{kind}{$path} or
			push @{$over{named}}, ['Untouched-file', $path];
	}
	my $text = text(\%over);
	if ($text eq '') {
		unlink $out;
	} else {
		spit($out, $text);
	}
}

my $what = shift // '';
if ($what eq 'compose') {
	compose(@ARGV);
} elsif ($what eq 'bases') {
	my ($bases) = read_series(@ARGV);
	print "@$bases\n";
} elsif ($what eq 'main') {
	my ($bases, $list) = read_series(@ARGV);
	print map { "$_->{name} " . main_base($bases, $_) . "\n" }
		grep { $_->{bases}{$ARGV[1]} } @$list;
} elsif ($what eq 'commit') {
	commit(@ARGV);
} elsif ($what eq 'normal') {
	print text(parse(@ARGV));
} elsif ($what eq 'names') {
	my $mail = parse($ARGV[0]);
	my @named = map { $_->[1] } grep { $_->[0] eq $ARGV[1] } @{$mail->{named}};
	print map { "$_\n" } $ARGV[1] eq 'diff' ? sort keys %{$mail->{diff}} : @named;
} elsif ($what eq 'diff') {
	my ($file, @paths) = @ARGV;
	my $mail = parse($file);
	print map { $mail->{diff}{$_} // '' } @paths ? @paths : sort keys %{$mail->{diff}};
} elsif ($what eq 'message') {
	my $mail = parse($ARGV[0]);
	exit 2 if !defined $mail->{message};
	print $mail->{message}, "---\n", $mail->{notes};
} elsif ($what eq 'override') {
	override(@ARGV);
} elsif ($what eq 'order') {
	order(@ARGV);
} else {
	complain 'mails.pl: see its head';
}
