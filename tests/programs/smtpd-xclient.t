#!/bin/sh
# smtpd and XCLIENT: who may say it, what is taken for whom, what a rule for the
# proxy does not give to those it speaks for; with swaks as the real proxy.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2016 # what the queue program's shell is to expand
. "$(dirname "$0")/../lib.sh"
unset PROTO TCP6REMOTEIP

# A queue program that tells the log what it was given.
cat >"$work/queue" <<'END'
#!/bin/sh
for name in PROTO TCPREMOTEIP TCPREMOTEHOST TCPREMOTEPORT TCPREMOTEINFO \
	TCPLOCALIP TCPLOCALPORT TCP6REMOTEIP SSLREMOTEIP RELAYCLIENT \
	SMTP_AUTH_USER SMTPAUTHMETHOD; do
	eval "echo \"queue: $name=\${$name-unset}\"" >&2
done
exec queue-stub
END
chmod 755 "$work/queue"
# A spfcheck that knows one address, and an auth-cdb that knows nobody.
mkdir "$work/helpers"
cat >"$work/helpers/spfcheck" <<'END'
#!/bin/sh
for ip; do :; done
[ "$ip" = 192.0.2.7 ] && echo pass && exit 0
echo fail
exit 1
END
cat >"$work/helpers/auth-cdb" <<'END'
#!/bin/sh
printf 'unknown user'
exit 1
END
chmod 755 "$work/helpers/spfcheck" "$work/helpers/auth-cdb"

cat >"$work/xclient.txt" <<END
env QMAILQUEUE=$work/queue
env XCLIENT=1
== what was found out about an address is not said of the next one
env PATH=$work/helpers:$PATH
env SMTP_AUTH_RESULTS=1
env SMTP_IPREV=1
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
C: XCLIENT ADDR=198.51.100.9
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
M: Authentication-Results: mx.example.org; iprev=pass policy.iprev=192.0.2.7\nReceived: *
E: *
M: Authentication-Results: mx.example.org; iprev=fail*policy.iprev=198.51.100.9\nReceived: *

== nor are guesses of passwords its own
env PATH=$work/helpers:$PATH
env SSL=1
env AUTH_CDB=/dev/null
env SMTPD_AUTH_DELAY=0
env SMTPD_AUTH_FAILURES=2
S: 220 *
C: AUTH PLAIN AGEAYg==
S: 535 *
C: XCLIENT ADDR=198.51.100.9
S: 220 *
C: AUTH PLAIN AGEAYg==
S: 535 *
C: AUTH PLAIN AGEAYg==
S: 421 *
EOF

END
cat >>"$work/xclient.txt" <<'END'
== it is offered, and begins the session anew
S: 220 mx.example.org ESMTP
C: EHLO proxy
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: XCLIENT NAME=host.example.com ADDR=198.51.100.9 PORT=1234 DESTADDR=127.0.0.3 DESTPORT=25
S: 220 mx.example.org ESMTP
C: EHLO client
S*7: 250*
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from host.example.com (HELO client) (198.51.100.9)\n  by mx.example.org *\n
LOG: queue: PROTO=TCP
LOG: queue: TCPREMOTEIP=198.51.100.9
LOG: queue: TCPREMOTEHOST=host.example.com
LOG: queue: TCPREMOTEPORT=1234
LOG: queue: TCPREMOTEINFO=unset
LOG: queue: TCPLOCALIP=127.0.0.3
LOG: queue: TCPLOCALPORT=25

== an address, and nothing that was said of the proxy's
env TCPREMOTEINFO=proxyuser
env TCPREMOTEPORT=77
env TCP6REMOTEIP=2001:db8::1
env SSLREMOTEIP=2001:db8::1
S: 220 *
C: xclient addr=IPV6:2001:DB8:0::9
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from unknown (2001:db8::9)\n  by mx.example.org *\n
LOG: queue: PROTO=TCP6
LOG: queue: TCPREMOTEIP=2001:db8::9
LOG: queue: TCPREMOTEHOST=unset
LOG: queue: TCPREMOTEPORT=unset
LOG: queue: TCPREMOTEINFO=unset
LOG: queue: TCP6REMOTEIP=unset
LOG: queue: SSLREMOTEIP=unset

== what cannot be known
S: 220 *
C: XCLIENT NAME=[UNAVAILABLE] ADDR=[unavailable] PORT=[TEMPUNAVAIL] HELO=[UNAVAILABLE]
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from unknown (unknown)\n  by mx.example.org *\n
LOG: queue: TCPREMOTEIP=unset

== a name that is found again in a moment
S: 220 *
C: XCLIENT NAME=[TEMPUNAVAIL] ADDR=198.51.100.9
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from unknown (198.51.100.9)\n*

== HELO and PROTO, in xtext
env SMTP_PROTOCOL_WORDS=1
S: 220 *
C: EHLO proxy
S*7: 250*
C: XCLIENT ADDR=198.51.100.9 PROTO=ESMTP HELO=he+2Blo+2Eexample
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from unknown (HELO he+lo.example) (198.51.100.9)\n  by mx.example.org with ESMTP; *\n

== several commands: what is not said again stays
S: 220 *
C: XCLIENT NAME=host.example.com ADDR=198.51.100.9
S: 220 *
C: XCLIENT HELO=name PROTO=SMTP
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from host.example.com (HELO name) (198.51.100.9)\n*

== but another address is another client
S: 220 *
C: XCLIENT NAME=host.example.com ADDR=198.51.100.9 LOGIN=joe
S: 220 *
C: XCLIENT ADDR=198.51.100.10
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 553 *
S: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from unknown (198.51.100.10)\n*
LOG: queue: RELAYCLIENT=unset
LOG: queue: SMTP_AUTH_USER=unset

== the proxy's RELAYCLIENT is not the client's
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RSET
S*2: 250 ok
S: 250 flushed
C: XCLIENT ADDR=198.51.100.9
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
S: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
LOG: queue: RELAYCLIENT=unset

== nor is what the rule appends
env RELAYCLIENT=@relay
S: 220 *
C: XCLIENT HELO=x
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: F\0Tu@example.org\0\0

== a login may relay
S: 220 *
C: XCLIENT ADDR=198.51.100.9 LOGIN=joe@example.org
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: F\0Tu@elsewhere.example\0\0
LOG: queue: RELAYCLIENT=
LOG: queue: SMTP_AUTH_USER=joe@example.org
LOG: queue: SMTPAUTHMETHOD=xclient
LOG: queue: TCPREMOTEINFO=joe@example.org

== and is forgotten with the next one
S: 220 *
C: XCLIENT ADDR=198.51.100.9 LOGIN=joe
S: 220 *
C: XCLIENT LOGIN=[UNAVAILABLE]
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 *

== REQUIRE_AUTH: the login is one
env AUTHREQUIRED=
S: 220 *
C: MAIL FROM:<>
S: 530 authentication needed
C: XCLIENT LOGIN=joe
S: 220 *
C: MAIL FROM:<>
S: 250 ok

== the log has the client's address
env LOGLEVEL=2
S: 220 *
C: XCLIENT NAME=host.example.com ADDR=198.51.100.9
S: 220 *
LOG: qmail-smtpd[*]: connection from 192.0.2.7 (client.example.net) to mx.example.org
LOG: qmail-smtpd[*]: connection from 198.51.100.9 (host.example.com) to mx.example.org

== the limits of the client before are not this one's
env SMTPD_ERROR_LIMIT=2
S: 220 *
C: BOGUS
S: 502 *
C: XCLIENT ADDR=198.51.100.9
S: 220 *
C: BOGUS
S: 502 *
C: BOGUS
S: 421 *
EOF
STATUS: 1

== not in a transaction, which stays
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: XCLIENT ADDR=198.51.100.9
S: 503 no XCLIENT during mail transaction (#5.5.1)
C: RCPT TO:<u@example.org>
S: 250 ok

== what is no attribute, or no value of one, changes nothing
S: 220 *
C: XCLIENT
C: XCLIENT ADDR
C: XCLIENT ADDR=
C: XCLIENT COLOR=red
C: XCLIENT ADDR=198.51.100.256
C: XCLIENT ADDR=IPV6:198.51.100
C: XCLIENT ADDR=198.51.100.9 PORT=65536
C: XCLIENT ADDR=198.51.100.9 PORT=x
C: XCLIENT ADDR=198.51.100.9 PROTO=LMTP
C: XCLIENT ADDR=198.51.100.9 NAME=a_b+20c
C: XCLIENT ADDR=198.51.100.9 HELO=a+
C: XCLIENT ADDR=198.51.100.9 HELO=a+4
C: XCLIENT ADDR=198.51.100.9 HELO=a+4G
C: XCLIENT ADDR=198.51.100.9 HELO=a+0D+0AQUIT
C: XCLIENT ADDR=198.51.100.9 LOGIN=joe+00
C: XCLIENT ADDR=198.51.100.9 DESTADDR=here
S*16: 501 syntax error in XCLIENT (#5.5.4)
R: XCLIENT ADDR=198.51.100.9 HELO=\{256:x}\r\n
S: 501 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from client.example.net (192.0.2.7)\n*
END
sed '/^LOG: queue/d' "$work/xclient.txt" | sed "s|^env QMAILQUEUE=.*||" >"$work/clean.txt"
dialogues "$work/xclient.txt"
dialogues -b "$work/clean.txt"

cat >"$work/off.txt" <<'END'
== without XCLIENT=1 there is no such command
S: 220 *
C: EHLO proxy
S: 250-mx.example.org
S: 250-SIZE 0
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-SMTPUTF8
S: 250 8BITMIME
C: XCLIENT ADDR=198.51.100.9 LOGIN=joe
S: 502 unimplemented (#5.5.1)
C: MAIL FROM:<>
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
S: 553 *

== a login's name goes nowhere raw
env XCLIENT=1
S: 220 *
C: XCLIENT LOGIN=a+20(b)+0a
S: 501 *
C: XCLIENT LOGIN=a+20(b)+C3
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: .
S: 250 ok *
E: *
T: Received: from client.example.net (a??b??@192.0.2.7)\n*

== nor with XCLIENT=0
env XCLIENT=0
S: 220 *
C: XCLIENT ADDR=198.51.100.9
S: 502 *
END
dialogues "$work/off.txt"

# --- a real one, through a listener whose rule trusts it
name='swaks speaks for somebody else'
if is_here swaks "$name"; then
	mkdir "$work/control" "$work/messages"
	echo mx.example.org >"$work/control/me"
	echo example.org >"$work/control/rcpthosts"
	export CONTROLDIR="$work/control" QUEUE_DIR="$work/messages" \
		QMAILQUEUE=queue-stub
	QMAILQUEUE="$tests/queue-stub"
	echo '127.0.0.1:allow,XCLIENT="1",RELAYCLIENT=""' |
		tcprules "$work/rules.cdb" "$work/rules.tmp"
	start_tcpserver "$work/log" -x "$work/rules.cdb" -- smtpd
	swaks --server "127.0.0.1:$port" --helo inside.example \
		--from a@client.example --to u@example.org \
		--xclient-addr 198.51.100.9 --xclient-name host.example.com \
		--xclient-helo outside.example --xclient-proto ESMTP \
		>"$work/said" 2>&1
	is $? 0 "$name"
	like "$(cat "$work/messages/1/message")" \
		'^Received: from host.example.com \(HELO inside.example\) \(198.51.100.9\)' \
		'and the trace has that one'
	swaks --server "127.0.0.1:$port" --from a@client.example \
		--to u@elsewhere.example --xclient-addr 198.51.100.9 \
		>"$work/said" 2>&1
	is $? 24 'who is spoken for may not relay where the proxy may'
	like "$(cat "$work/said")" "553 sorry, that domain isn't in my list" 'and hears why'
	swaks --server "127.0.0.1:$port" --from a@client.example \
		--to u@elsewhere.example --xclient-addr 198.51.100.9 \
		--xclient-login joe >"$work/said" 2>&1
	is $? 0 'with a login it may'
	stop "$server"
fi
done_testing
