#!/bin/sh
# Every filter and queue program of ours keeps the rules of tests/queue-conformance;
# and the kit sees it when one is broken, by programs that are wrong in one thing.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from daemons.sh
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
. "$tests/daemons.sh"
unset ERROR_FD TMPDIR FILTER_TIMEOUT QQF_DIALECT CLAMD_SOCKET SPAMD_SOCKET RSPAMD_SOCKET
export CONTROLDIR="$work/control"
mkdir "$work/control" "$work/wrong"

# conforms NAME ARGUMENT…: of the kit, whose lines with faults are shown
conforms() {
	who=$1
	shift
	if queue-conformance "$@" >"$work/tap" 2>&1; then ok "$who keeps all rules"
	else not_ok "$who keeps all rules" "$(grep -v '^ok' "$work/tap" | head -n 40)"; fi
}

# --- programs that are right: nothing but an exec, in two languages
cat >"$work/exec.sh" <<'END'
#!/bin/sh
exec "$@"
END
cat >"$work/copy.pl" <<'END'
#!/usr/bin/perl
# A filter in a page of Perl: it reads all, refuses or throws away what says so in
# its subject, and hands on in files.
use strict;
use warnings;
use POSIX ();
sub take {
	open my $in, '<&=', $_[0] or exit 54;
	my ($all, $n) = ('');
	1 while $n = sysread $in, $all, 1 << 20, length $all;
	exit 54 unless defined $n;
	return $all;
}
sub give {
	my ($fd, $bytes) = @_;
	my $path = ($ENV{TMPDIR} // '/tmp') . "/copy.$$";
	sysopen my $file, $path, POSIX::O_RDWR() | POSIX::O_CREAT() | POSIX::O_EXCL(), 0600
		or exit 53;
	unlink $path;
	local $SIG{XFSZ} = 'IGNORE';
	my $done = 0;
	while ($done < length $bytes) {
		$done += syswrite($file, $bytes, 1 << 20, $done) // exit 53;
	}
	sysseek $file, 0, 0;
	POSIX::dup2(fileno $file, $fd) // exit 53;
}
sub refuse {
	my ($text) = @_;
	for my $fd ($ENV{ERROR_FD} // (6, 4)) {
		my $out = POSIX::write($fd, $text, length $text);
		exit 82 if defined $out;
	}
	exit($text =~ /^D/ ? 31 : 71);
}
my $message = take(0);
my $envelope = take(1);
exit 54 if $envelope eq '' || $envelope =~ /^F[^\0]*(?:\0T[^\0]*)*\z/ ||
	$envelope =~ /^F[^\0]*\0(?:T[^\0]*\0)*\z/;
exit 91 unless $envelope =~ /^F[^\0]*\0(?:T[^\0]*\0)*\0\z/;
exit 11 if $envelope =~ /[^\0]{1004}/;
refuse('ZNot now (#4.7.1)') if $message =~ /^Subject: not now/m;
exit 0 if $message =~ /^Subject: nobody/m;
give(0, $message);
give(1, $envelope);
exec { $ARGV[0] } @ARGV or exit 120;
END
chmod 755 "$work/exec.sh" "$work/copy.pl"
printf 'Subject: not now\n\n' >"$work/refused"
printf 'Subject: nobody wants this\n\n' >"$work/discarded"
conforms 'a script of one exec' "$work/exec.sh"
conforms 'a filter in Perl' -q -R "$work/refused" -D "$work/discarded" "$work/copy.pl"

cat >"$work/judge" <<'END'
#!/usr/bin/perl
# For qmail-qfilter: the same, and the envelope written anew.
open my $in, '<&=3';
open my $out, '>&=4';
local $/;
my $message = <STDIN>;
exit 99 if $message =~ /^Subject: nobody/m;
if ($message =~ /^Subject: not now/m) {
	print $out 'ZNot now (#4.7.1)';
	exit 82;
}
print $message;
my $envelope = <$in>;
print $out $envelope;
END
chmod 755 "$work/judge"

# --- each of ours that is there; one without a line here is a failure
# scanner KIND: it listens on $port
scanner() {
	start_server "$work/$1.log" scanner-stub "$1"
}
for program in "$bin"/filter-* "$bin"/queue-* "$bin"/qmail-queue "$bin"/qmail-qfilter; do
	[ -x "$program" ] || continue
	name=${program##*/}
	case $name in
	queue-check) ;; # not of this kind
	filter-attachment)
		echo .scr >"$work/control/ssattach"
		printf '%s\n' 'Subject: x' 'MIME-Version: 1.0' \
			'Content-Type: application/octet-stream; name=x.scr' '' x >"$work/attachment"
		conforms "$name" -q -R "$work/attachment" "$program" ;;
	filter-clamd)
		scanner clamd
		conforms "$name" -q -R "$work/refused" "$program" -s "127.0.0.1:$port" ;;
	filter-header)
		conforms "$name" -q -c "$program" -r X-Any -a 'X-Top: top' -A 'X-End: end' ;;
	filter-rspamd)
		scanner rspamd
		conforms "$name" -q -c -R "$work/refused" -D "$work/discarded" \
			"$program" -s "127.0.0.1:$port" ;;
	filter-spamd)
		scanner spamd
		conforms "$name" -q -c -R "$work/refused" "$program" -s "127.0.0.1:$port" -R 10 ;;
	qmail-queue)
		queue-check -s 23 "$work/queue" >"$work/check" 2>&1
		export QUEUEDIR="$work/queue"
		conforms "$name" -e "$program" ;;
	queue-lmtp)
		is_here smtp-sink "$name keeps all rules" || continue
		start_smtp_sink -L
		conforms "$name" -e "$program" "127.0.0.1:$smtp_sink_port" ;;
	queue-smtp)
		is_here smtp-sink "$name keeps all rules" || continue
		start_smtp_sink
		conforms "$name" -e "$program" -T none "127.0.0.1:$smtp_sink_port" ;;
	qmail-qfilter)
		export QQF_QMAILQUEUE=/nonexistent
		conforms "$name without a filter" -v QQF_QMAILQUEUE \
			-E QMAILPPID,QMAILUSER,QMAILHOST,QMAILRCPTS,NUMRCPTS,ENVSIZE,MSGSIZE,QMAILNAME \
			"$program"
		conforms "$name with filters" -q \
			-E QMAILPPID,QMAILUSER,QMAILHOST,QMAILRCPTS,NUMRCPTS,ENVSIZE,MSGSIZE,QMAILNAME \
			-R "$work/refused" -D "$work/discarded" \
			"$program" true -- cat -- "$work/judge" -- --
		unset QQF_QMAILQUEUE ;;
	queue-chain)
		cat >"$work/chain.sh" <<END
#!/bin/sh
echo "exec \$1" >"$work/chain"
exec '$program' "$work/chain"
END
		chmod 755 "$work/chain.sh"
		conforms "$name" -q "$work/chain.sh" ;;
	queue-discard) conforms "$name" -e "$program" ;;
	queue-maildir)
		maildirs A
		conforms "$name" -e "$program" -d "$work/A" ;;
	queue-sendmail)
		conforms "$name" -e "$program" sh -c 'exec cat >/dev/null' ;;
	queue-tee)
		conforms "$name" -q "$program" "$bin/queue-discard" --
		conforms "$name -i" -q "$program" -i false -- ;;
	*) not_ok "$name keeps all rules" 'there is no case for it' ;;
	esac
done

# --- what is wrong in one thing

# breaks GROUP NAME OPTION… : the script on standard input, called with the next
# program, breaks a rule of the group, and no rule of a group before it in OTHERS.
breaks() {
	group=$1
	name=$2
	shift 2
	cat >"$work/wrong/program"
	chmod 755 "$work/wrong/program"
	queue-conformance "$@" "$work/wrong/program" >"$work/tap" 2>&1
	code=$?
	seen=$(sed -n 's/^not ok [0-9]* - \([a-z]*\):.*/\1/p' "$work/tap" | sort -u | tr '\n' ' ')
	case " $seen" in
	*" $group "*) ok "seen: $name" ;;
	*) not_ok "seen: $name" "exit $code; broken: $seen" ;;
	esac
}
# Only a few rules are looked at, so that it takes no time.
all=codes,deaths,pid,early,envelopes,bad,messages,descriptors,inherited,vanishing,log,files
only() {
	echo "$all" | tr , '\n' | grep -vx "$1" | tr '\n' ,
}

breaks pid 'a fork in place of an exec' -x "$(only pid)" <<'END'
#!/bin/sh
"$@"
exit $?
END
breaks deaths 'a death that becomes an exit code' -x "$(only deaths)" <<'END'
#!/bin/sh
"$@"
exit $?
END
breaks codes 'all failures made one' -q -x "$(only codes)" <<'END'
#!/bin/sh
"$@" || exit 71
END
breaks codes 'a descriptor for texts that is closed' -q -x "$(only codes)" <<'END'
#!/bin/sh
exec "$@" 4>&-
END
breaks codes 'a success that nobody has said' -q -x "$(only codes)" <<'END'
#!/bin/sh
cat >/dev/null
END
breaks early 'a pipe to the next one, and SIGPIPE' -x "$(only early)" <<'END'
#!/usr/bin/perl
pipe my $out, my $in;
if (!fork) {
	open STDIN, '<&', $out;
	close $in;
	exec @ARGV;
}
close $out;
print $in $_ while <STDIN>;
close $in;
wait;
exit $? >> 8;
END
breaks envelopes 'an address that is cut' -x "$(only envelopes)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my $envelope = <$in>;
$envelope =~ s/([^\0]{257})[^\0]*/$1/g;
open my $file, '+>', undef; print $file $envelope; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks envelopes 'a line end that ends an address' -x "$(only envelopes)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my $envelope = <$in>;
$envelope =~ s/\n[^\0]*//g;
open my $file, '+>', undef; print $file $envelope; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks envelopes 'recipients as words: more than there is room for' -x "$(only envelopes)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my $envelope = <$in>;
exit 81 if ($envelope =~ tr/\0//) > 500;
open my $file, '+>', undef; print $file $envelope; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks bad 'an envelope that is made whole' -x "$(only bad)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my @records = split /\0/, <$in> // '';
open my $file, '+>', undef;
print $file map({ "$_\0" } @records), "\0"; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks bad 'a refusal for one that is cut' -x "$(only bad)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my $envelope = <$in> // '';
exit 31 unless $envelope =~ /\0\0\z/;
open my $file, '+>', undef; print $file $envelope; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks vanishing 'words for a caller that has gone' -x "$(only vanishing)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my $envelope = <$in> // '';
unless ($envelope =~ /\0\0\z/) { warn "no envelope\n"; exit 54 }
open my $file, '+>', undef; print $file $envelope; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks messages 'a last line that is given an end' -x "$(only messages)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $file, '+>', undef;
while (<STDIN>) { chomp; print $file "$_\n" }
seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 0); exec @ARGV;
END
breaks messages 'a message that ends at a NUL' -x "$(only messages)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $file, '+>', undef; local $/; my $message = <STDIN> // '';
$message =~ s/\0.*//s; print $file $message; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 0); exec @ARGV;
END
breaks messages 'a mebibyte and no more' -x "$(only messages)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $file, '+>', undef; read STDIN, my $message, 1 << 20;
print $file $message; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 0); exec @ARGV;
END
breaks messages "a file that is read from its start, not from its middle" -x "$(only messages)" <<'END'
#!/usr/bin/perl
sysseek STDIN, 0, 0;
exec @ARGV;
END
breaks messages 'the envelope first: both wait for ever' -t 1 -x "$(only messages)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $in, '<&=1'; local $/; my $envelope = <$in>;
open my $file, '+>', undef; print $file $envelope; seek $file, 0, 0; $file->flush;
POSIX::dup2(fileno $file, 1); exec @ARGV;
END
breaks descriptors 'a descriptor that stays open' -x "$(only descriptors)" <<'END'
#!/usr/bin/perl
$^F = 255;
open my $file, '<', '/dev/null';
exec @ARGV;
END
breaks descriptors 'a descriptor of the caller that is gone' -x "$(only descriptors)" <<'END'
#!/usr/bin/perl
use POSIX ();
POSIX::close(9);
exec @ARGV;
END
for each in 'signal:$SIG{PIPE} = "IGNORE"' 'mask:use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGHUP))' \
	'alarm that runs:alarm 300' 'alarm that is lost:alarm 0' 'umask:umask 077' 'folder:chdir "/"' \
	'limit:exec "/bin/sh", "-c", q(ulimit -n 40; exec "$@"), "sh", @ARGV' \
	'variable:$ENV{NEW} = 1' 'variable that is gone:delete $ENV{RELAYCLIENT}' \
	'descriptor that does not block:use Fcntl; fcntl(STDIN, F_SETFL, O_NONBLOCK)'; do
	printf '#!/usr/bin/perl\n%s;\nexec @ARGV;\n' "${each#*:}" >"$work/one"
	breaks inherited "a ${each%%:*}" -x "$(only inherited)" <"$work/one"
done
breaks log 'a log that kills' -x "$(only log)" <<'END'
#!/usr/bin/perl
$SIG{PIPE} = 'DEFAULT';
syswrite STDERR, "a message\n";
exec @ARGV;
END
breaks files 'a file that is left' -x "$(only files)" <<'END'
#!/bin/sh
mktemp >/dev/null
exec "$@"
END
breaks files 'no folder: as if the message were bad' -x "$(only files)" <<'END'
#!/bin/sh
mktemp >/dev/null || exit 31
exec "$@"
END
breaks files 'SIGXFSZ' -x "$(only files)" <<'END'
#!/usr/bin/perl
use POSIX ();
open my $file, '+>', undef or exit 53; local $/;
syswrite $file, $_ = <STDIN>; sysseek $file, 0, 0;
POSIX::dup2(fileno $file, 0); exec @ARGV;
END

# Refusals and such.
for each in '6:exit 82, no text' '6;syswrite $out, "no":a text of no class' \
	'6;syswrite $out, "Dno\r\n250 ok":a text with a line end' '6;syswrite $out, "D" . "x" x 300:a text that is too long' \
	'4;syswrite $out, "Dno (#5.7.1)":a text on 4 alone'; do
	cat >"$work/one" <<END
#!/usr/bin/perl
1 while sysread STDIN, my \$bytes, 65536;
open my \$in, '<&=1'; 1 while sysread \$in, \$bytes, 65536;
open my \$out, '>&=${each%:*}';
exit 82;
END
	breaks refusal "${each##*:}" -x "$all" -R "$work/refused" <"$work/one"
done
perl -e 'print "Subject: not now\n\n", "x" x 200000' >"$work/long"
breaks refusal 'one that does not read' -x "$all" -R "$work/long" <<'END'
#!/usr/bin/perl
open my $out, '>&=6'; syswrite $out, 'Dno (#5.7.1)'; exit 82;
END
breaks discarding 'one that does not read' -x "$all" -D "$work/discarded" <<'END'
#!/bin/sh
exit 0
END

is "$(queue-conformance "$work/nonexistent")" "Bail out! $work/nonexistent is no program" \
	'a program that is not there'
queue-conformance -x "$all" "$work/exec.sh" >"$work/tap"
is "$?$(grep -c 'SKIP left out' "$work/tap")" "0$(grep -c '^ok' "$work/tap")" 'rules that are left out'

like "$(queue-conformance --help)" '^  codes  ' '--help: options and rules'

done_testing
