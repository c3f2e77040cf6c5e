#!/bin/sh
# smtpd and clients that want too much: too slow, too fast, too long, too many.
# Memory is not counted under a sanitizer.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

# memory LIMIT NAME: the last line of $flooded is below LIMIT KiB
memory() {
	kib=$(printf '%s\n' "$flooded" | tail -n 1)
	if [ -n "${SANITIZE:-}" ] || [ "$kib" -lt "$1" ] 2>/dev/null; then
		ok "$2"
	else
		not_ok "$2" "VmHWM: $kib KiB"
	fi
}
# replies NAME: all but the last line of $flooded are those of standard input
replies() {
	is "$(printf '%s\n' "$flooded" | sed '$d')" "$(cat)" "$1"
}

cat >"$work/slow.txt" <<'END'
== a client that sends a byte now and then is served
control timeoutsmtpd 2
R: HE
WAIT 0.9
R: LO x
WAIT 0.9
R: \r
WAIT 0.9
R: \n
S: 220 *
S: 250 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: a\r
WAIT 0.9
R: \n.
WAIT 0.9
R: \r
WAIT 0.9
R: \n
S: 250 ok * qp *
E: *
M: a\n

== one that stops in a command line hears of it
control timeoutsmtpd 1
S: 220 *
R: NOO
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== one that stops within a line that is too long, too
control timeoutsmtpd 1
S: 220 *
R: \{5000:x}
S: 451 timeout (#4.4.2)
EOF
STATUS: 1

== 32: timeoutsmtpd 0 is a second
control timeoutsmtpd 0
S: 220 *
WAIT 0.3
C: NOOP
S: 250 ok
S: 451 timeout (#4.4.2)
EOF
STATUS: 1
END
dialogues "$work/slow.txt"

# What the queue program is not given, it cannot have accepted; it may say so all
# the same, when it is one that throws messages away.
cat >"$work/discarded.txt" <<'END'
env SMTPD_QUEUE_DISCARD=1
queue no-envelope exit=1
== a message that is too big is refused, not discarded
env DATABYTES=1000
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: \{100:a line of a message that is too big\r\n}.\r\n
S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)
== nor is one that loops
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
R: \{100:Received: x\r\n}.\r\n
S: 554 too many hops, this message is looping (#5.4.6)
END
dialogues "$work/discarded.txt"

# Whoever ignores SIGCHLD hands that down, and the kernel then keeps no exit
# codes: smtpd could not know of a message that it was queued.
echo mx.example.org >"$work/me"
orphaned=$(printf '%s\r\n' 'MAIL FROM:<>' 'RCPT TO:<postmaster>' DATA . QUIT |
	CONTROLDIR=$work QUEUE_DIR=$work QMAILQUEUE=$tests/queue-stub \
		perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' smtpd 2>&1)
like "$orphaned" '^250 ok [0-9]+ qp' 'a queue program where SIGCHLD was ignored'

# What else it inherits stays with it: none of the chain's descriptors reaches the
# queue program, and no program that happens to lie in the current folder is one.
mkdir "$work/inherited" "$work/bin"
printf '%s\r\n' 'MAIL FROM:<>' 'RCPT TO:<postmaster>' DATA . QUIT >"$work/said"
CONTROLDIR=$work QUEUE_DIR=$work/inherited QMAILQUEUE=$tests/queue-stub \
	smtpd <"$work/said" >/dev/null 2>&1 3<&0 5<&0 9<&0 8<"$work/me"
is "$(sed -n 's/^descriptors //p' "$work/inherited/1/about" | tr ' ' '\n' |
	grep -cx '[3589]')" 0 'none of its descriptors but its own'
ln -s /bin/true "$work/bin/qmail-queue"
if [ -d "$(head -n 1 "$top/conf-home")" ]; then
	ok 'a queue program in the current folder # SKIP there is a home'
else
	like "$(cd "$work" && CONTROLDIR=$work smtpd <"$work/said" 2>/dev/null)" \
		'^451 unable to exec qq' 'a queue program in the current folder is none'
fi

mkdir "$work/control" "$work/queue"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
CONTROLDIR=$work/control
QUEUE_DIR=$work/queue
QMAILQUEUE=$tests/queue-stub
TCPREMOTEIP=192.0.2.7
export CONTROLDIR QUEUE_DIR QMAILQUEUE TCPREMOTEIP

flooded=$(flood '{1000000:x}' 50 smtpd 2>&1)
replies '23: a line of 50 MB is one 500' <<'END'
1 500 line too long (#5.5.2)
1 502 unimplemented (#5.5.1)
END
memory 4096 'and needs no memory'

flooded=$(flood '{1000:x}\0{3000:NOOP }\r\n' 5000 smtpd 2>&1)
replies '23: each of 5,000 long lines is one 500' <<'END'
5000 500 line too long (#5.5.2)
2 502 unimplemented (#5.5.1)
END
memory 4096 'and they need no memory'

flooded=$(flood 'JUNK\r\n\n' 50000 smtpd 2>&1)
replies '37: 100,000 commands that nobody knows' <<'END'
100002 502 unimplemented (#5.5.1)
END
memory 4096 'they need no memory either'

flooded=$(flood 'MAIL FROM:<{800:x}@client.example>\r\nRSET\r\n' 50000 \
	smtpd 2>&1)
replies '50,000 transactions that come to nothing' <<'END'
50000 250 flushed
50000 250 ok
2 502 unimplemented (#5.5.1)
END
memory 4096 'nor do those'

# RFC 5321 section 4.5.3.1.10: 452 and the ones before stay; what limit there is
# must be over a hundred.
flooded=$(flood 'MAIL FROM:<>\r\nRCPT TO:<somebody@example.org>\r\n' 100000 \
	smtpd 2>&1)
taken=$(printf '%s\n' "$flooded" | sed -n 's/ 250 ok$//p')
refused=$(printf '%s\n' "$flooded" |
	sed -n 's/ 452 too many recipients (#4.5.3)$//p')
if [ "${taken:-0}" -gt 1000 ] && [ "${refused:-0}" -gt 1000 ] &&
	[ $((taken + refused)) -eq 100001 ]; then
	ok "13: of 100,000 recipients some are taken ($((taken - 1)))"
else
	not_ok '13: of 100,000 recipients some are taken' "$flooded"
fi
memory 4096 'and there is an end to them'

# The client's patience begins at the dot: what the program still reads behind it
# is part of the time it has. That is the envelope, of more than a pipe holds.
cat >"$work/slow-queue" <<'END'
#!/bin/sh
cat >/dev/null
sleep 2
cat <&1 >/dev/null
sleep 2
END
chmod +x "$work/slow-queue"
slow=$({
	printf '%s\r\n' 'MAIL FROM:<>'
	perl -e 'print "RCPT TO:<", "x" x 800, "\@example.org>\r\n" for 1 .. 100'
	printf '%s\r\n' DATA . QUIT
} | QMAILQUEUE=$work/slow-queue SMTPD_QUEUE_TIMEOUT=3 smtpd 2>/dev/null)
like "$slow" '^451 qq timeout' 'a queue program that is slow twice is slow'

# A program that stops reading has half a message: it must not get an envelope
# for it, which is what makes a message of it.
cat >"$work/half-queue" <<END
#!/bin/sh
dd bs=10 count=1 >/dev/null 2>&1
exec 0<&-
cat <&1 >'$work/envelope'
END
chmod +x "$work/half-queue"
half=$({
	printf '%s\r\n' 'MAIL FROM:<>' 'RCPT TO:<u@example.org>' DATA
	perl -e 'print "a line of a message that no pipe holds\r\n" x 50000'
	printf '%s\r\n' . QUIT
} | QMAILQUEUE=$work/half-queue smtpd 2>/dev/null)
like "$half" '^451 qq read error' 'a program that read half of the message'
is "$(wc -c <"$work/envelope" | tr -d ' ')" 0 'gets no envelope for it'

# A client that never reads: the server's own writes have a limit in time.
echo 1 >"$work/control/timeoutsmtpd"
like "$(flood -n 'NOOP\r\n' 0 smtpd 2>&1 | tr '\n' ' ')" '^1 [1-4]\.' \
	'a client that never reads is left after timeoutsmtpd'
like "$(flood -n 'MAIL FROM:<>\r\nRSET\r\nEHLO x\r\n' 0 smtpd 2>&1 |
	tr '\n' ' ')" '^1 [1-4]\.' 'also when replies travel together'

done_testing
