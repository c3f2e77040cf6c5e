#!/bin/sh
# Programs of older families in the chain: each finds the next one by a variable
# of its own. What stands here for simscan, qmail-dk, qmail-dkim and surblqueue
# hands on as they do: by a fork and pipes, or by a file and an exec. Before them
# is smtpd, behind them a chain of ours.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/maildir.sh"
unset ERROR_FD TMPDIR QQF_QMAILQUEUE DKQUEUE DKIMQUEUE SURBLQUEUE
export CONTROLDIR="$work/control"
mkdir "$work/control" "$work/bin"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"

# program NAME: a script from standard input, $work/bin/NAME
program() {
	cat >"$work/bin/$1"
	chmod 755 "$work/bin/$1"
}

# The C programs: a child with pipes; the line on top is theirs, the child's exit
# code their own. In front is what each of them has found out.
cat >"$work/forking.pl" <<'END'
use strict;
use warnings;
sub hand_on {
	my ($top, @next) = @_;
	local $/;
	my $message = <STDIN>;
	open my $in, '<&=1' or exit 54;
	pipe my $message_out, my $message_in or exit 58;
	pipe my $envelope_out, my $envelope_in or exit 58;
	$SIG{PIPE} = 'IGNORE';
	my $child = fork // exit 57;
	if (!$child) {
		require POSIX;
		close $_ for $message_in, $envelope_in;
		POSIX::dup2(fileno $message_out, 0);
		POSIX::dup2(fileno $envelope_out, 1);
		exec { $next[0] } @next or exit 120;
	}
	close $_ for $message_out, $envelope_out;
	print $message_in $top, $message;
	close $message_in;
	my $envelope = <$in>;
	print $envelope_in $envelope;
	close $envelope_in;
	waitpid $child, 0;
	exit 81 if $? & 127;
	exit $? >> 8;
}
1;
END
program qmail-dk <<END
#!/usr/bin/perl
require '$work/forking.pl';
hand_on("DomainKey-Status: no signature\n", \$ENV{DKQUEUE} // 'bin/qmail-queue');
END
program qmail-dkim <<END
#!/usr/bin/perl
require '$work/forking.pl';
if (\$ENV{DKIM_FAILS}) {
	open my \$error, '>&=', \$ENV{ERROR_FD} // 4 or exit 35;
	syswrite \$error, 'DDKIM signature is bad (X.7.0)';
	exit 88;
}
hand_on("DKIM-Status: no signature\n", \$ENV{DKIMQUEUE} // 'bin/qmail-queue');
END
# Its next program is compiled in.
program simscan <<END
#!/usr/bin/perl
require '$work/forking.pl';
if (\$ENV{SIMSCAN_REFUSES}) {
	1 while sysread STDIN, my \$bytes, 65536;
	open my \$error, '>&=', 4 or exit 31;
	syswrite \$error, 'DYour email is considered spam (53.50 spam-hits)';
	exit 82;
}
hand_on("Received: (simscan 1.4.0 ppid \${\\ getppid} pid \$\$ t 0.1234s)\n"
	. " (scanners: none); 21 Nov 2026 12:00:00 -0000\n", '$work/bin/chain');
END
program surblqueue <<'END'
#!/bin/sh
[ -x "${SURBLQUEUE:-}" ] || SURBLQUEUE=bin/qmail-queue
file=$(mktemp) || exit 53
{ echo 'X-SURBL: clean'; cat; } >"$file" 2>&4 || exit $?
exec 0<"$file"
rm -f "$file"
exec "$SURBLQUEUE"
END
# Two stages of ours and an end, as one path.
program add-header <<'END'
#!/bin/sh
echo "X-Chain: $NUMRCPTS"
cat
END
program chain <<END
#!/bin/sh
export QQF_QMAILQUEUE='$work/bin/end'
exec qmail-qfilter '$work/bin/add-header'
END
program end <<END
#!/bin/sh
exec queue-tee -i queue-discard -- queue-maildir -d '$work/A'
END

# session NAME=VALUE…: smtpd with one message, and nothing open that is ours; the
# last reply but one is in $reply.
printf '%s\r\n' 'HELO client' 'MAIL FROM:<s@client.example>' \
	'RCPT TO:<u@example.org>' DATA 'Subject: x' '' text . QUIT >"$work/said"
session() {
	maildirs A
	env TCPREMOTEIP=192.0.2.7 "$@" \
		perl -MPOSIX -e 'POSIX::close($_) for 3 .. 255; exec @ARGV' \
		qmail-smtpd <"$work/said" >"$work/replies" 2>"$work/log"
	reply=$(tail -n 2 "$work/replies" | head -n 1 | tr -d '\r')
}
# delivered_with FIELD…: it came through, with these on top of each other
delivered_with() {
	sed -n '/^Received: from/q; /^[^ ]*: /s/:.*//p' "$work"/A/new/* >"$work/got"
	printf '%s\n' Return-Path Delivered-To Received "$@" >"$work/wanted"
	same_file "$work/got" "$work/wanted" "the fields on top: $*"
	is "$(tail -n 1 "$work"/A/new/*)" text 'and the message below'
}

session QMAILQUEUE="$work/bin/chain"
like "$reply" '^250 ok ' 'the chain alone'
delivered_with X-Chain
qp=$(echo "$reply" | sed 's/.* qp //')
like "$(cat "$work/log")" "queue-maildir: delivered qp $qp " \
	"one pid from the reply to the Maildir"

session QMAILQUEUE="$work/bin/qmail-dk" DKQUEUE="$work/bin/chain"
like "$reply" '^250 ok ' 'qmail-dk, by DKQUEUE'
delivered_with X-Chain DomainKey-Status
session QMAILQUEUE="$work/bin/qmail-dkim" DKIMQUEUE="$work/bin/chain"
like "$reply" '^250 ok ' 'qmail-dkim, by DKIMQUEUE'
delivered_with X-Chain DKIM-Status
session QMAILQUEUE="$work/bin/qmail-dkim" DKIMQUEUE="$work/bin/chain" DKIM_FAILS=1
is "$reply" '554 DKIM signature is bad (X.7.0)' 'its text on descriptor 4, its 88'
session QMAILQUEUE="$work/bin/qmail-dkim" ERROR_FD=9 DKIM_FAILS=1
is "$reply" '554 DKIM signature is bad (X.7.0)' 'on $ERROR_FD'
session QMAILQUEUE="$work/bin/simscan"
like "$reply" '^250 ok ' 'simscan, whose next program is compiled in'
delivered_with X-Chain Received
session QMAILQUEUE="$work/bin/simscan" SIMSCAN_REFUSES=1
is "$reply" '554 Your email is considered spam (53.50 spam-hits)' 'its refusal'
session QMAILQUEUE="$work/bin/surblqueue" SURBLQUEUE="$work/bin/chain"
like "$reply" '^250 ok ' 'surblqueue, by SURBLQUEUE'
delivered_with X-Chain X-SURBL
qp=$(echo "$reply" | sed 's/.* qp //')
like "$(cat "$work/log")" "queue-maildir: delivered qp $qp " 'which execs: one pid'

# The shipped order of one family: surblqueue, qmail-dkim, simscan, the queue.
session QMAILQUEUE="$work/bin/surblqueue" SURBLQUEUE="$work/bin/qmail-dkim" \
	DKIMQUEUE="$work/bin/simscan"
like "$reply" '^250 ok ' 'all in a row'
delivered_with X-Chain Received DKIM-Status X-SURBL
session QMAILQUEUE="$work/bin/surblqueue" SURBLQUEUE="$work/bin/qmail-dkim" \
	DKIMQUEUE="$work/bin/simscan" SIMSCAN_REFUSES=1
is "$reply" '554 Your email is considered spam (53.50 spam-hits)' \
	'a refusal by the last of them'

# In the middle of a chain of ours, by a variable or as the word behind "next".
program first <<END
#!/bin/sh
export QQF_QMAILQUEUE='$work/bin/qmail-dk' DKQUEUE='$work/bin/chain'
exec qmail-qfilter true
END
session QMAILQUEUE="$work/bin/first"
like "$reply" '^250 ok ' 'qmail-qfilter, qmail-dk, and our chain'
delivered_with X-Chain DomainKey-Status
program first <<END
#!/bin/sh
exec queue-tee -i queue-discard -- '$work/bin/simscan'
END
session QMAILQUEUE="$work/bin/first" SIMSCAN_REFUSES=1
is "$reply" '554 Your email is considered spam (53.50 spam-hits)' \
	'queue-tee, then simscan: its refusal'

# A refusal at the end of our chain goes back through all of them.
program end <<'END'
#!/bin/sh
printf 'DThe end is full (#5.2.2)' >&6
exit 82
END
session QMAILQUEUE="$work/bin/surblqueue" SURBLQUEUE="$work/bin/qmail-dkim" \
	DKIMQUEUE="$work/bin/qmail-dk" DKQUEUE="$work/bin/simscan"
is "$reply" '554 The end is full (#5.2.2)' 'the end refuses: its text on descriptor 6'
program end <<'END'
#!/bin/sh
exit 53
END
session QMAILQUEUE="$work/bin/simscan"
is "$reply" '451 qq write error or disk full (#4.3.0)' 'the end fails: its exit code'
program end <<END
#!/bin/sh
exec queue-maildir -d '$work/A'
END

# The client goes away in the middle of a message: nothing arrives.
printf '%s\r\n' 'HELO client' 'MAIL FROM:<s@client.example>' \
	'RCPT TO:<u@example.org>' DATA 'Subject: x' '' text >"$work/said"
for each in chain qmail-dk simscan surblqueue; do
	session QMAILQUEUE="$work/bin/$each" DKQUEUE="$work/bin/chain" \
		SURBLQUEUE="$work/bin/chain"
	is "$(files A/new)" 0 "$each: nothing of a client that goes away"
done

# The lines of a much-copied run script that put qmail-dk in front.
printf '%s\r\n' 'HELO client' 'MAIL FROM:<s@client.example>' \
	'RCPT TO:<u@example.org>' DATA 'Subject: x' '' text . QUIT >"$work/said"
cat >"$work/run" <<'END'
#!/bin/sh
if [ "$DOMAINKEYS" = "1" ]
then
	if [ -f "$VQ/bin/qmail-dk" ]
	then
		if [ -n "$QMAILQUEUE" ]
		then
			export DKQUEUE="$QMAILQUEUE"
		fi
		export AUTH_UNSET_DKVERIFY=1
		export QMAILQUEUE="$VQ/bin/qmail-dk"

		if [ -n "$DKVERIFY" ] ; then export DKVERIFY ; fi
		if [ -n "$DKSIGN"   ] ; then export DKSIGN   ; fi
	else
		echo ERROR: $VQ/bin/qmail-dk not found, cannot use domainkeys
		exit 1
	fi
fi
exec qmail-smtpd
END
maildirs A
env TCPREMOTEIP=192.0.2.7 VQ="$work" DOMAINKEYS=1 DKVERIFY=DEGIJKfh DKSIGN='' \
	QMAILQUEUE="$work/bin/chain" \
	sh "$work/run" <"$work/said" >"$work/replies" 2>"$work/log"
like "$(cat "$work/replies")" '^250 ok [0-9]+ qp ' \
	'a run script that makes DKQUEUE of QMAILQUEUE'
delivered_with X-Chain DomainKey-Status

done_testing
