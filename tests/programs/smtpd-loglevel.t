#!/bin/sh
# smtpd's LOGLEVEL: what each level says, and what none says.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

mkdir "$work/control" "$work/queue"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
export CONTROLDIR="$work/control" QUEUE_DIR="$work/queue" \
	QMAILQUEUE="$tests/queue-stub" TCPREMOTEIP=192.0.2.7 \
	TCPREMOTEHOST=client.example.net TCPLOCALHOST=mx.example.org
printf '%s\r\n' 'EHLO client' 'MAIL FROM:<a@client.example>' \
	'RCPT TO:<u@elsewhere.example>' 'RCPT TO:<u@example.org>' DATA \
	'Subject: x' '' 'text' . 'AUTH PLAIN AHNlY3JldABwYXNz' 'secret words' \
	QUIT >"$work/said"

# session SETTING…: the log in $log, its prefix and numbers that vary taken off
session() {
	env "$@" smtpd <"$work/said" >"$work/replies" 2>"$work/log"
	log=$(sed -E 's/^qmail-smtpd\[[0-9]+\]: //
		s/queued: [0-9]+ qp [0-9]+/queued: TIME qp PID/' "$work/log")
}

fatal=
accounts='connection from 192.0.2.7 (client.example.net) to mx.example.org
mail from: a@client.example
rcpt to: u@example.org
message queued: TIME qp PID size 17 bytes'
errors="connection from 192.0.2.7 (client.example.net) to mx.example.org
mail from: a@client.example
refused: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
rcpt to: u@example.org
message queued: TIME qp PID size 17 bytes"

session X=1
is "$log" '' 'not set: a session that goes well is silent'
for level in 0 x ''; do
	session LOGLEVEL="$level" QMAILSMTPD_LOG_MAIL=1
	is "$log" '' "LOGLEVEL=$level: nothing at all"
done
session LOGLEVEL=1
is "$log" "$fatal" 'LOGLEVEL=1: nothing of a session that goes well'
session LOGLEVEL=2
is "$log" "$accounts" 'LOGLEVEL=2: who has sent what to whom'
like "$(cat "$work/log")" '^qmail-smtpd\[[0-9]+\]: mail from' 'behind our name and pid'
is "$(sed -n 's/.*queued: \([0-9]* qp [0-9]*\) .*/\1/p' "$work/log")" \
	"$(tr -d '\r' <"$work/replies" | sed -n 's/^250 ok \([0-9]* qp [0-9]*\)$/\1/p')" \
	'time and qp are those of the reply'
session LOGLEVEL=2 QMAILSMTPD_LOG_MAIL=1 QMAILSMTPD_LOG_RCPT=1
like "$log" '^MAIL FROM:<a@client.example>$' 'what else is asked for is there, too'
session LOGLEVEL=3
is "$(printf '%s\n' "$log" | grep -v '^refused: 50')" "$errors" \
	'LOGLEVEL=3: what was refused'
session LOGLEVEL=4
like "$log" '^command: EHLO client$' 'LOGLEVEL=4: commands'
like "$log" '^command: RCPT TO:<u@elsewhere.example>$' 'refused ones as well'
like "$log" '^command: AUTH $' 'of AUTH its name alone'
unlike "$log" 'AHNl|secret' 'no password, not even one that came in the wrong place'
session LOGLEVEL=9
like "$log" '^command: EHLO client$' 'LOGLEVEL=9 is 4'
TCPREMOTEINFO=joe TCPREMOTEHOST="$(printf 'x\033[2J\ny')" session LOGLEVEL=2
like "$log" '^connection from 192.0.2.7 \(x\?\[2J\?y, joe\) to' \
	'nothing from outside goes raw into the log'

# What must be mended.
for level in 0 1; do
	session LOGLEVEL=$level AUTH_CDB=/nowhere.cdb
	is "$(printf '%s\n' "$log" | grep -c 'AUTH_CDB /nowhere.cdb: ')" $level \
		"LOGLEVEL=$level: a table of logins that is not there, $level times"
	printf '[mail]\n/nowhere\n' >"$work/control/smtpplugins"
	session LOGLEVEL=$level ENABLE_SPP=
	is "$(printf '%s\n' "$log" | grep -c 'qmail-spp failure: /nowhere: ')" \
		$level "LOGLEVEL=$level: a plugin that is not there, $level times"
done

# What ends a session.
printf 'NOOP\r\n' >"$work/said"
session LOGLEVEL=1
is "$log" 'closing connection: the client is gone' 'LOGLEVEL=1: a client that goes'
session X=1
is "$log" '' 'which nobody hears of without it'
echo 1 >"$work/control/databytes"
rm "$work/control/rcpthosts"
session LOGLEVEL=2
unlike "$log" rcpthosts 'LOGLEVEL=2 does not say how things are set up'
session LOGLEVEL=3
like "$log" 'no control/rcpthosts' 'LOGLEVEL=3 does'
rm "$work/control/me"
session LOGLEVEL=0
is "$log" '' 'LOGLEVEL=0: not even that there is no control/me'
session LOGLEVEL=1
like "$log" '^unable to read .*/me: ' 'LOGLEVEL=1: that'
like "$log" '^closing connection: 421 unable to read controls' 'and what the client heard'
done_testing
