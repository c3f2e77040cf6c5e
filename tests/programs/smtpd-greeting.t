#!/bin/sh
# smtpd's greetings: the one of SMTPGREETING, and those that refuse a client:
# 550GREETING and 421GREETING, whose names no shell can set.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need env envdir

cat >"$work/greeting.txt" <<'END'
== SMTPGREETING takes the place of control/smtpgreeting
control smtpgreeting mx.example.org from a file
env SMTPGREETING=mx.example.org NO UCE
S: 220 mx.example.org NO UCE ESMTP
C: HELO x
S: 250 mx.example.org NO UCE
C: EHLO x
S: 250-mx.example.org NO UCE
S*5: 250*
C: QUIT
S: 221 mx.example.org NO UCE

== empty, it is not set
env SMTPGREETING=
S: 220 mx.example.org ESMTP

== it adds no line
env SMTPGREETING=mx.example.org\r\n250 evil\x07\xe4
S: 220 mx.example.org??250 evil?? ESMTP
C: QUIT
S: 221 mx.example.org??250 evil??

== nor makes one too long (the dialogue looks)
env SMTPGREETING=mx.example.org \{2000:x}
S: 220 mx.example.org x*... ESMTP
C: EHLO x
S: 250-mx.example.org xx*
S*5: 250*

== 550GREETING: its text, and nothing works but QUIT
env 550GREETING=go away
S: 554 mx.example.org go away
C: HELO x
S: 503 bad sequence of commands (#5.5.1)
C: ehlo x
S: 503 bad sequence of commands (#5.5.1)
C: MAIL FROM:<>
S: 503 bad sequence of commands (#5.5.1)
C: NOOP
S: 503 bad sequence of commands (#5.5.1)
C:
S: 503 bad sequence of commands (#5.5.1)
R: NO\0OP\r\n
S: 500 NUL in a command (#5.5.2)
C: quit
S: 221 mx.example.org

== 550GREETING: the usual text
env 550GREETING=
S: 554 mx.example.org Sorry, your mail was administratively denied. (#5.7.1)
C: QUIT
S: 221 mx.example.org

== 550GREETING: it adds no line and makes none too long
env 550GREETING=a\r\n220 b\{1000:x}
S: 554 mx.example.org a??220 bx*

== 421GREETING
env 421GREETING=later
S: 421 mx.example.org later
C: EHLO x
S: 421 Service temporarily not available (#4.3.2)
C: helo x
S: 421 Service temporarily not available (#4.3.2)
C: MAIL FROM:<>
S: 503 bad sequence of commands (#5.5.1)
C: QUIT
S: 221 mx.example.org

== 421GREETING: the usual text
env 421GREETING=
S: 421 mx.example.org Service temporarily not available (#4.3.2)

== 550GREETING wins over 421GREETING
env 421GREETING=later
env 550GREETING=never
S: 554 mx.example.org never
C: HELO x
S: 503 bad sequence of commands (#5.5.1)

== with SMTP550DISCONNECT that is all
env 550GREETING=
env SMTP550DISCONNECT=
S: 554 mx.example.org *
EOF
STATUS: 1

== with SMTP_ENHANCED the greeting has no code, the replies have
env 550GREETING=no (#5.7.1)
env SMTP_ENHANCED=1
S: 554 mx.example.org no (#5.7.1)
C: NOOP
S: 503 5.5.1 bad sequence of commands
C: QUIT
S: 221 2.0.0 mx.example.org

== control/timeoutsmtpd holds where it is shorter
control timeoutsmtpd 1
env 550GREETING=
S: 554 *
S: 451 timeout (#4.4.2)
EOF
STATUS: 1
END
dialogues "$work/greeting.txt"

# The three ways that such a name can be set.
mkdir "$work/control" "$work/env"
echo mx.example.org >"$work/control/me"
: >"$work/control/rcpthosts"
export CONTROLDIR="$work/control"
said=$(printf 'QUIT\r\n' | env '550GREETING=by env' smtpd 2>&1 | tr -d '\r')
is "$said" '554 mx.example.org by env
221 mx.example.org' 'env(1) sets it'
echo 'by envdir' >"$work/env/550GREETING"
said=$(printf 'QUIT\r\n' | envdir "$work/env" smtpd 2>&1 | head -n 1 | tr -d '\r')
is "$said" '554 mx.example.org by envdir' 'envdir sets it'
echo '127.0.0.1:allow,550GREETING="by a rule"' |
	tcprules "$work/rules.cdb" "$work/rules.tmp"
start_tcpserver "$work/log" -x "$work/rules.cdb" -- smtpd
is "$(perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]");
	print scalar <$s>' "$port" | tr -d '\r')" \
	'554 mx.example.org by a rule' 'a rule of tcprules sets it'
stop "$server"

# Twenty seconds, and not the twenty minutes of other clients.
name='a refused client that says nothing is not waited for'
if can_trace "$name"; then
	mkfifo "$work/fifo"
	env 550GREETING= strace -D -e trace=poll,ppoll -o "$work/trace" smtpd \
		<>"$work/fifo" >/dev/null 2>&1 &
	started="$started $!"
	wait_until grep -q 'poll(.*fd=0' "$work/trace"
	like "$(grep 'poll(.*fd=0' "$work/trace")" ', 20000\)|[{]tv_sec=20,|, 20000 <unfinished|, 20000$' "$name"
	stop "$!"
fi

done_testing
