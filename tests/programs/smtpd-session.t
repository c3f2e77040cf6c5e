#!/bin/sh
# smtpd's session: limits of errors and of idle commands, a deadline for each
# command, SMTP550DISCONNECT, HELP, LOG_MAIL, lines of all lengths.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb

# What helpers say that have no DNS to ask here.
mkdir "$work/bin"
printf '#!/bin/sh\necho none\nexit 1\n' >"$work/bin/mxcheck"
printf '#!/bin/sh\nprintf "reject\\tlist.example\\tany\\t127.0.0.2\\tsee list.example\\n"\n' \
	>"$work/bin/rblcheck"
chmod 755 "$work"/bin/*
echo >"$work/empty"
cdb -c "$work/empty.cdb" "$work/empty"

sed "s|@work@|$work|; s|@path@|$PATH|" >"$work/session.txt" <<'END'
== without SMTPD_ERROR_LIMIT nobody counts
S: 220 *
C*200: BOGUS
S*200: 502 unimplemented (#5.5.1)
C: NOOP
S: 250 ok

== 37: SMTPD_ERROR_LIMIT: the reply to the third refusal is the last one
env SMTPD_ERROR_LIMIT=3
S: 220 *
C: BOGUS
C: RCPT TO:<u@example.org>
C: NOOP
C: DATA
C: NOOP
S: 502 unimplemented (#5.5.1)
S: 503 MAIL first (#5.5.1)
S: 250 ok
S: 421 too many errors (#4.7.0)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: too many errors [192.0.2.7]

== a line that is no good counts as well
env SMTPD_ERROR_LIMIT=2
S: 220 *
R: NO\0OP\r\n
S: 500 NUL in a command (#5.5.2)
R: \{3000:x}\r\n
S: 421 too many errors (#4.7.0)
EOF
STATUS: 1

== 37: SMTPD_JUNK_LIMIT: commands that do nothing for a message
env SMTPD_JUNK_LIMIT=6
S: 220 *
C: HELO x
C: NOOP
C: HELP
C: VRFY x
C: RSET
C: EHLO x
S: 250 *
S: 250 ok
S: 214 *
S: 252 *
S: 250 flushed
S: 250-mx.example.org
S*5: 250*
S: 421 too many errors (#4.7.0)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: too many commands without a message [192.0.2.7]

== a recipient begins the count anew
env SMTPD_JUNK_LIMIT=3
S: 220 *
C*2: NOOP
S*2: 250 ok
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<v@example.org>
S*3: 250 ok
C*2: NOOP
S*2: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok *
E: *
C: RSET
S: 250 flushed
S: 421 too many errors (#4.7.0)
EOF
STATUS: 1

== without SMTPD_JUNK_LIMIT there is none
S: 220 *
C*300: NOOP
S*300: 250 ok

== slow: without SMTPD_COMMAND_TIMEOUT each byte has its own time
once
control timeoutsmtpd 2
S: 220 *
R: N
WAIT 0.8
R: O
WAIT 0.8
R: O
WAIT 0.8
R: P\r\n
S: 250 ok

== slow: with SMTPD_COMMAND_TIMEOUT all of them together
once
control timeoutsmtpd 100
env SMTPD_COMMAND_TIMEOUT=1
S: 220 *
C: NOOP
S: 250 ok
R: N
WAIT 0.4
R: O
WAIT 0.4
R: O
WAIT 0.4
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== the text of a message is not a command
once
control timeoutsmtpd 10
env SMTPD_COMMAND_TIMEOUT=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: a
WAIT 0.7
R: b\r\n
WAIT 0.7
C: .
S: 250 ok *
E: *
M: ab\n

== QMAILSMTPD_HELP_VERSION
env QMAILSMTPD_HELP_VERSION=1
S: 220 *
C: HELP
S: 214-qmail home page: http://pobox.com/~djb/qmail.html
S: 214 jms1 combined patch v7.08 http://qmail.jms1.net/patches/combined.shtml
C: NOOP
S: 250 ok

== QMAILSMTPD_HELP_VERSION=0
env QMAILSMTPD_HELP_VERSION=0
S: 220 *
C: HELP
S: 214 qmail home page: http://pobox.com/~djb/qmail.html

== QMAILSMTPD_LOG_MAIL
env QMAILSMTPD_LOG_MAIL=1
S: 220 *
C: MAIL FROM:<kamran@example.com>
S: 250 ok
LOG: qmail-smtpd[*]: MAIL FROM:<kamran@example.com>

== SMTP550DISCONNECT: qmail-ldap's refusals end the session
env SMTP550DISCONNECT=
env SANITYCHECK=
S: 220 *
C: MAIL FROM:<user>
C: NOOP
S: 554 mailfrom without @ is administratively denied
EOF
STATUS: 1

== SMTP550DISCONNECT: MAIL without a user, or a dot
env SMTP550DISCONNECT=
env SANITYCHECK=
S: 220 *
C: MAIL FROM:<user@domain>
S: 554 mailfrom without . in domain part is administratively denied
EOF
STATUS: 1

== SMTP550DISCONNECT: NOBOUNCE
env SMTP550DISCONNECT=
env NOBOUNCE=
S: 220 *
C: MAIL FROM:<>
S: 554 RFC2821 bounces are administratively denied
EOF
STATUS: 1

== SMTP550DISCONNECT: BLOCKRELAYPROBE
env SMTP550DISCONNECT=
env BLOCKRELAYPROBE=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
S: 250 ok
S: 553 sorry, we don't relay for [192.0.2.7] (#5.7.1)
EOF
STATUS: 1

== SMTP550DISCONNECT: SENDERCHECK
env SMTP550DISCONNECT=
env SENDERCHECK=STRICT
S: 220 *
C: MAIL FROM:<a@elsewhere.example>
S: 554 refused mailfrom because valid local sender address required
EOF
STATUS: 1

== SMTP550DISCONNECT: AUTHREQUIRED
env SMTP550DISCONNECT=
env AUTHREQUIRED=
S: 220 *
C: MAIL FROM:<>
S: 530 authentication needed
EOF
STATUS: 1

== SMTP550DISCONNECT: SMTPAUTH=TLSREQUIRED
env SMTP550DISCONNECT=
env SMTPAUTH=TLSREQUIRED
env AUTH_CDB=@work@/empty.cdb
S: 220 *
C: AUTH PLAIN
S: 538 Encryption required for requested authentication mechanism
EOF
STATUS: 1

== SMTP550DISCONNECT: MAIL without a user
env SMTP550DISCONNECT=
env SANITYCHECK=
S: 220 *
C: MAIL FROM:<user@>
S: 554 mailfrom without user or domain part is administratively denied
EOF
STATUS: 1

== SMTP550DISCONNECT: a bounce with a second recipient
env SMTP550DISCONNECT=
env SMTPD_ONE_BOUNCE_RECIPIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<v@example.org>
S*2: 250 ok
S: 550 sorry, I don't accept bounce messages with more than one recipient.*
EOF
STATUS: 1

== SMTP550DISCONNECT: RCPTCHECK
env SMTP550DISCONNECT=
env RCPTCHECK=
env VALIDRCPTTO_CDB=@work@/empty.cdb
env RELAYCLIENT=
control locals example.org
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 554 Sorry, no mailbox here by that name. (#5.1.1)
EOF
STATUS: 1

== SMTP550DISCONNECT: RETURNMXCHECK
env SMTP550DISCONNECT=
env RETURNMXCHECK=
env PATH=@work@/bin:@path@
S: 220 *
C: MAIL FROM:<a@client.example>
S: 554 refused mailfrom because return MX does not exist
EOF
STATUS: 1

== SMTP550DISCONNECT: RBL
env SMTP550DISCONNECT=
env RBL=
env PATH=@work@/bin:@path@
S: 220 *
C: MAIL FROM:<a@client.example>
S: 553 sorry, your mailserver [192.0.2.7] is rejected by *
EOF
STATUS: 1

== SMTP550DISCONNECT: REJECTEXEC
env SMTP550DISCONNECT=
env REJECTEXEC=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Subject: x
C: 
C: TVqQAAMAAAAEAAAA//8AALgAAAAA
C: .
S: 552 we don't accept email with this MIME content (#5.3.4)
EOF
STATUS: 1

== without it they do not
env SANITYCHECK=
S: 220 *
C: MAIL FROM:<user>
S: 554 mailfrom without @ is administratively denied
C: NOOP
S: 250 ok

== nor do others with it
env SMTP550DISCONNECT=
env RELAYREJ=1
S: 220 *
C: BOGUS
S: 502 *
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 we don't relay (#5.7.1)
S: 553 sorry, that domain*
C: NOOP
S: 250 ok

== 23: a line of 2048 bytes is one, a byte more is none
S: 220 *
R: NOOP \{2041:x}\r\n
S: 250 ok
R: NOOP \{2042:x}\r\n
S: 500 line too long (#5.5.2)
C: NOOP
S: 250 ok

== 23: MAIL and RCPT with all that extensions may add
S: 220 *
R: MAIL FROM:<\{400:a}@client.example> SIZE=12345678901234567890 BODY=8BITMIME SMTPUTF8 AUTH=\{500:x} RET=FULL ENVID=\{100:x}\r\n
S: 250 ok
R: RCPT TO:<\{400:a}@example.org> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;\{500:x}\r\n
S: 250 ok

== control characters and bytes above 127 in a command
S: 220 *
R: \x01\x1b[2J\xe4\xff\r\n
S: 502 unimplemented (#5.5.1)
R: NOOP \x07\x1b\r\n
S: 250 ok
R: HELO \x07\x1b\xe4\r\n
S: 250 mx.example.org
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from client.example.net (HELO ???) (192.0.2.7)\n*

== HELO and EHLO without a name
S: 220 *
C: HELO
S: 250 mx.example.org
C: EHLO
S: 250-mx.example.org
S*5: 250*
C: EHLO
S: 250-mx.example.org
S*5: 250*

== 35: the errors of one transaction do not reach into the next
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 ok
S: 553 *
S: 250 flushed
S: 250 ok
S: 250 ok
END
dialogues "$work/session.txt"

# What this machine cannot give.
mkdir "$work/control"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
# last COMMAND…: $got is the last line of what the client is told
last() {
	got=$(CONTROLDIR="$work/control" SSL=1 QMAILQUEUE=/bin/true "$@" \
		2>"$work/log" | tail -n 1 | tr -d '\r')
}
last sh -c 'ulimit -n 4; exec smtpd' <<'END'
MAIL FROM:<>
RCPT TO:<u@example.org>
DATA
END
is "$got" '451 qqt failure (#4.3.0)' 'no descriptors for the queue program'
like "$(cat "$work/log")" '^qmail-smtpd\[[0-9]+\]: unable to start a queue program: ' \
	'which the log says'
last sh -c 'ulimit -n 4; exec smtpd mx.example.org /bin/cat /bin/true' <<'END'
AUTH PLAIN AGEAYg==
END
is "$got" "454 oops, unable to open pipe and I can't auth (#4.3.0)" \
	'no descriptors for a checkpassword program'
like "$(cat "$work/log")" '^qmail-smtpd\[[0-9]+\]: unable to run /bin/cat: ' \
	'which the log says'
last env QMAILSMTPD_LOG_MAIL=1 sh -c 'ulimit -f 0; exec smtpd' <<'END'
MAIL FROM:<>
END
is "$got" '250 ok' 'no room for the log'
if is_plain 'no memory'; then
	{
		echo 'MAIL FROM:<>'
		yes "RCPT TO:<$(printf '%0800d' 0)@example.org>" | head -n 1200
	} >"$work/many"
	last sh -c 'ulimit -v 1200; exec smtpd' <"$work/many"
	is "$got" '421 out of memory (#4.3.0)' 'no memory'
	like "$(cat "$work/log")" '^qmail-smtpd\[[0-9]+\]: out of memory$' \
		'which the log says'
fi
if can_trace 'this machine cannot say what its addresses are'; then
	last strace -o "$work/trace" -e trace=socket \
		-e inject=socket:error=EMFILE smtpd <<'END'
MAIL FROM:<a@[127.0.0.1]>
END
	is "$got" '421 unable to figure out my IP addresses (#4.3.0)' \
		'this machine cannot say what its addresses are'
fi
# A connection that is closed with input unread is reset, and the last reply may
# be lost. More than the server's own buffer holds:
is "$(CONTROLDIR=$work/control SMTPD_ERROR_LIMIT=1 perl -e 'use Socket;
	socketpair my $near, my $far, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die;
	setsockopt $near, SOL_SOCKET, SO_SNDBUF, 400000;
	my $said = syswrite $near, "BOGUS\r\n" . "NOOP\r\n" x 15000;
	die "only $said" if $said < 90000;
	if (!fork) {
		open STDIN, "<&", $far;
		open STDOUT, ">&", $far;
		close $_ for $near, $far;
		exec "smtpd";
	}
	close $far;
	my ($heard, $n) = "";
	1 while $n = sysread $near, $heard, 4096, length $heard;
	print defined $n ? "end: " : "$!: ", (split /\r\n/, $heard)[-1]' 2>"$work/log")" \
	'end: 421 too many errors (#4.7.0)' 'what has come behind a 421 does not hurt it'
# Without the programs that are beside it.
mkdir "$work/alone"
cp "$bin/smtpd" "$work/alone/smtpd"
last env PATH=/nonexistent GREETDELAY=1 "$work/alone/smtpd" </dev/null
is "$got" '421 unable to run greetdelay (#4.3.0)' 'no greetdelay'
like "$(cat "$work/log")" '^qmail-smtpd\[[0-9]+\]: unable to run greetdelay: ' \
	'which the log says'

done_testing
