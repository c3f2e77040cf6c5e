#!/bin/sh
# smtpd's questions about any recipient: how many (MAXRCPT, MAXRCPTCOUNT), signs of
# relaying (RELAYREJ, BLOCKRELAYPROBE), the line in the log, the tar pit (cases 13,
# 16 and 18 of the list). Whether there is such an address: smtpd-validrcptto.t,
# smtpd-rcptcheck.t, smtpd-local.t.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

cat >"$work/limits.txt" <<'END'
== without a limit there is none, and EHLO names none
S: 220 *
C: EHLO x
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-PIPELINING
S*2: 250-*
S: 250 8BITMIME
C: MAIL FROM:<>
C*300: RCPT TO:<u@example.org>
S*301: 250 ok

== 13: MAXRCPT below 100 is 100: no less may be refused
env MAXRCPT=1
S: 220 *
C: MAIL FROM:<>
C*100: RCPT TO:<u@example.org>
S*101: 250 ok
C: RCPT TO:<u@example.org>
S: 452 too many recipients (#4.5.3)
C: RCPT TO:<u@example.org>
S: 452 too many recipients (#4.5.3)
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: F\0\{100:Tu@example.org\0}\0
LOG: qmail-smtpd[*]: MAXRCPT fail [192.0.2.7]

== MAXRCPT: each command counts, good or bad
env MAXRCPT=100
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C*50: RCPT TO:<u@elsewhere.example>
S*50: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
C*49: RCPT TO:<>
S*49: 555 *
C: RCPT TO:<u@example.org>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 452 too many recipients (#4.5.3)
C: RCPT TO:<>
S: 452 too many recipients (#4.5.3)

== MAXRCPT: for each message anew
env MAXRCPT=100
S: 220 *
C: RCPT TO:<u@example.org>
S: 503 MAIL first (#5.5.1)
C: MAIL FROM:<>
C*100: RCPT TO:<u@example.org>
S*101: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<>
C*100: RCPT TO:<u@example.org>
S*101: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
C: MAIL FROM:<>
C*100: RCPT TO:<u@example.org>
S*101: 250 ok
C: RCPT TO:<u@example.org>
S: 452 *

== MAXRCPT: more than 100
env MAXRCPT=150
S: 220 *
C: MAIL FROM:<>
C*150: RCPT TO:<u@example.org>
S*151: 250 ok
C: RCPT TO:<u@example.org>
S: 452 *

== control/maxrcpt
control maxrcpt 101
S: 220 *
C: MAIL FROM:<>
C*101: RCPT TO:<u@example.org>
S*102: 250 ok
C: RCPT TO:<u@example.org>
S: 452 *

== MAXRCPT=0 is no limit, whatever control/maxrcpt says
control maxrcpt 100
env MAXRCPT=0
S: 220 *
C: MAIL FROM:<>
C*120: RCPT TO:<u@example.org>
S*121: 250 ok

== MAXRECIPIENTS is another name
env MAXRECIPIENTS=100
S: 220 *
C: MAIL FROM:<>
C*100: RCPT TO:<u@example.org>
S*101: 250 ok
C: RCPT TO:<u@example.org>
S: 452 *

== and MAXRCPT the first one
env MAXRECIPIENTS=200
env MAXRCPT=100
S: 220 *
C: MAIL FROM:<>
C*100: RCPT TO:<u@example.org>
S*101: 250 ok
C: RCPT TO:<u@example.org>
S: 452 *

== MAXRCPT is for our own clients, too
env MAXRCPT=100
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C*100: RCPT TO:<u@elsewhere.example>
S*101: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 452 *

== MAXRCPTCOUNT: those of our domains
env MAXRCPTCOUNT=2
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<a@example.org>
C: RCPT TO:<b@example.org>
S: 250 ok
S: 553 *
S*2: 250 ok
C: RCPT TO:<c@example.org>
S: 452 sorry, too many recipients (#4.5.3)
C: RCPT TO:<u@elsewhere.example>
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: F\0Ta@example.org\0Tb@example.org\0\0
C: MAIL FROM:<>
C: RCPT TO:<c@example.org>
S*2: 250 ok

== MAXRCPTCOUNT: those that our client may relay to
env MAXRCPTCOUNT=1
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<u@elsewhere.example>
S*2: 250 ok
S: 452 sorry, too many recipients (#4.5.3)

== MAXRCPTCOUNT=0 is no limit
env MAXRCPTCOUNT=0
S: 220 *
C: MAIL FROM:<>
C*3: RCPT TO:<u@example.org>
S*4: 250 ok
END
# announced N NAME=VALUE...: EHLO's LIMITS (RFC 9422)
announced() {
	cat <<-END
	== EHLO with $2 ${3:-} names $1
	env $2
	${3:+env $3}
	S: 220 *
	C: EHLO x
	S: 250-mx.example.org
	S: 250-SIZE 0
	S: 250-LIMITS RCPTMAX=$1
	S: 250-PIPELINING
	S*2: 250-*
	S: 250 8BITMIME
	END
}
{
	announced 100 MAXRCPT=7
	announced 250 MAXRCPT=250
	announced 7 MAXRCPTCOUNT=7
	announced 7 MAXRCPTCOUNT=7 MAXRCPT=250
	announced 250 MAXRCPT=250 MAXRCPTCOUNT=300
	announced 999999 MAXRCPT=999999
	announced 1 MAXRCPTCOUNT=1
} >>"$work/limits.txt"
cat >>"$work/limits.txt" <<'END'
== EHLO: more than LIMITS can say
env MAXRCPT=1000000
S: 220 *
C: EHLO x
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-PIPELINING
S*2: 250-*
S: 250 8BITMIME
END
dialogues "$work/limits.txt"

# From here on in single sessions, where what is not logged is seen, too.
# session LINE…: its replies, without the greeting and "250 ok", and its log
mkdir "$work/control"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
session() {
	printf '%s\r\n' 'MAIL FROM:<s@client.example>' "$@" |
		CONTROLDIR=$work/control TCPREMOTEIP=192.0.2.7 smtpd \
		2>"$work/errors" | tr -d '\r' | sed '/^220 /d; /^250 ok$/d'
	sed 's/^qmail-smtpd\[[0-9]*\]: //' "$work/errors"
}
# repeat N LINE
repeat() {
	perl -e 'print "$ARGV[1]\n" x $ARGV[0]' "$@"
}
# shellcheck disable=SC2046 # lines without blanks
is "$(IFS='
'; MAXRCPT=100 session $(repeat 110 'RCPT TO:<u@example.org>') |
	grep -c '^MAXRCPT fail \[192.0.2.7\]$')" 1 \
	'the log has a line for a message, not for each recipient'

cat >"$work/relay.txt" <<'END'
== without RELAYREJ any name is one
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u%elsewhere.example@example.org>
C: RCPT TO:<elsewhere.example!u@example.org>
C: RCPT TO:<"u@elsewhere.example"@example.org>
S*4: 250 ok

== 16: RELAYREJ
env RELAYREJ=1
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u%elsewhere.example@example.org>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<elsewhere.example!u@example.org>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<"u@elsewhere.example"@example.org>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<u\@elsewhere.example@example.org>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<u@elsewhere.example@example.org>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<elsewhere.example!u>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<u%elsewhere.example>
S: 553 we don't relay (#5.7.1)
C: RCPT TO:<u@elsewhere%.example>
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
C: RCPT TO:<"a b"@example.org>
S: 250 ok
C: RCPT TO:<@elsewhere.example,@example.net:u@example.org>
S: 250 ok
C: RCPT TO:<postmaster>
S: 250 ok

== RELAYREJ is for our own clients, too
env RELAYREJ=1
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u%elsewhere.example@example.net>
C: RCPT TO:<u@example.net>
S: 250 ok
S: 553 we don't relay (#5.7.1)
S: 250 ok

== RELAYREJ=0 is none
env RELAYREJ=0
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
S*2: 250 ok

== BLOCKRELAYPROBE, which only has to be there
env BLOCKRELAYPROBE=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u%elsewhere.example@example.org>
C: RCPT TO:<elsewhere.example!u@example.org>
C: RCPT TO:<u@elsewhere.example@example.org>
C: RCPT TO:<u@example.org>
S: 250 ok
S*3: 553 sorry, we don't relay for [192.0.2.7] (#5.7.1)
S: 250 ok

== BLOCKRELAYPROBE is for our own clients, too
env BLOCKRELAYPROBE=
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u%elsewhere.example@example.org>
S: 250 ok
S: 553 sorry, we don't relay for [192.0.2.7] (#5.7.1)

== BLOCKRELAYPROBE: a client without an address, or with a strange one
env BLOCKRELAYPROBE=
env TCPREMOTEIP=192.0.2.7\r\n250 ok
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
S: 250 ok
S: 553 sorry, we don't relay for [192.0.2.7??250 ok] (#5.7.1)

== with both, RELAYREJ has the word
env RELAYREJ=1
env BLOCKRELAYPROBE=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<a%b@example.org>
S: 250 ok
S: 553 we don't relay (#5.7.1)

== 18: postmaster without a domain
control rcpthosts # nobody
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<postmaster>
C: RCPT TO:<PostMaster>
S*3: 250 ok
END
dialogues "$work/relay.txt"

is "$(RELAYREJ=1 QMAILSMTPD_LOG_RCPT=1 session 'RCPT TO:<A b@Example.org>' \
	'RCPT TO:<a%b@example.org>' 'RCPT TO:<u@elsewhere.example>' 'RCPT TO:<>' |
	grep -v ^55)" 'RCPT TO:<A b@Example.org>
RCPT TO:<u@elsewhere.example>' \
	'QMAILSMTPD_LOG_RCPT: those that are well formed and ask for no relaying'
is "$(QMAILSMTPD_LOG_RCPT=1 session "RCPT TO:<$(printf '\344')@example.org>")" \
	'RCPT TO:<?@example.org>' 'in printable bytes'
is "$(session 'RCPT TO:<u@example.org>')$(QMAILSMTPD_LOG_RCPT=0 session \
	'RCPT TO:<u@example.org>')" '' 'and no others'

# The tar pit. The first replies come at once, or these would hang; a client that
# leaves is not waited for, nor is one that has nothing more to say.
cat >"$work/pit.txt" <<'END'
== TARPITCOUNT: what was said before it is told, and who leaves is let go
env TARPITCOUNT=3
env TARPITDELAY=1000
S: 220 *
C: MAIL FROM:<>
C*3: RCPT TO:<u@example.org>
S*3: 250 ok
CLOSE

== TARPITCOUNT: who has no more to say is gone
env TARPITCOUNT=1
env TARPITDELAY=1000
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S: 250 ok
HALF
EOF
STATUS: 1

== TARPITCOUNT: refusals are told at once, and not counted
env TARPITCOUNT=2
env TARPITDELAY=1000
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<>
C: RCPT TO:<u@example.org>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 *
S: 555 *
S: 250 ok
S: 553 *

== TARPITCOUNT=0 is none
env TARPITCOUNT=0
env TARPITDELAY=1000
S: 220 *
C: MAIL FROM:<>
C*2: RCPT TO:<u@example.org>
S*3: 250 ok

== TARPITDELAY=0 is none
limit 4
env TARPITCOUNT=1
env TARPITDELAY=0
S: 220 *
C: MAIL FROM:<>
C*2: RCPT TO:<u@example.org>
S*3: 250 ok

== TARPITCOUNT is of one message
env TARPITCOUNT=2
env TARPITDELAY=1000
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: RSET
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
S: 250 flushed
S*2: 250 ok
END
dialogues "$work/pit.txt"
cat >"$work/wait.txt" <<'END'
== each one behind the second waits
S: 220 *
C: MAIL FROM:<>
C*4: RCPT TO:<u@example.org>
C: NOOP
S*6: 250 ok
END
timed dialogue -e TARPITCOUNT=3 -e TARPITDELAY=1 "$work/wait.txt" >"$work/out"
like "$(cat "$work/out")" '^ok 1' 'TARPITDELAY: all are accepted'
is_at_least 2000 'and two of four have waited for a second'
is_at_most 8000 'and not for the usual time'
timed dialogue -e TARPITCOUNT=4 "$work/wait.txt" >"$work/out"
like "$(cat "$work/out")" '^ok 1' 'TARPITCOUNT without TARPITDELAY'
is_at_least 5000 'is five seconds'

done_testing
