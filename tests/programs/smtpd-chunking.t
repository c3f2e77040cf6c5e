#!/bin/sh
# BDAT beyond what tests/dialogues/56-chunking.txt has, which smtpd.t runs: chunks
# cut anywhere, of any size, with any bytes; a queue program that stops early or
# does not end; STARTTLS, and recordio, in the middle.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

cat >"$work/split.txt" <<'END'
== a message in chunks, the session cut anywhere
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: a\r
S: 250 ok
B: \n.\r\nb\n\r\r\n
S: 250 ok
L: \0\r
S: 250 ok * qp *
C: NOOP
S: 250 ok
E: *
M: a\n.\nb\n\r\n\0\r\n
END
dialogues -s "$work/split.txt"

# Messages of random bytes in random chunks; the seed is said.
perl - >"$work/random.txt" <<'END'
my $seed = $ENV{SEED} // 1; # another one is another test
srand $seed;
for my $number (1 .. 40) {
	my $text = join '', map { ("\r\n", "\r\n.\r\n", "\r", "\n", "\0",
		"BDAT 5 LAST\r\n", chr int rand 256, 'x' x rand 300)[rand 8] }
		1 .. 1 + rand 200;
	my $is = $text =~ s/\r\n/\n/gr =~ s/[^\n]\K\z/\n/r;
	print "== random bytes $number, SEED=$seed\nS: 220 *\n",
		"C: MAIL FROM:<>\nC: RCPT TO:<u\@example.org>\nS*2: 250 ok\n";
	while (length $text) {
		my $size = int rand((1, 3, 100, 5000)[rand 4]);
		my $chunk = substr $text, 0, $size, '';
		$chunk =~ s/([^A-Za-z0-9. ])/sprintf '\\x%02x', ord $1/ges;
		print length $chunk ? "B: $chunk\n" : "C: BDAT 0\n", "S: 250 ok\n";
	}
	$is =~ s/([^A-Za-z0-9. ])/sprintf '\\x%02x', ord $1/ges;
	print "C: BDAT 0 LAST\nS: 250 ok * qp *\nE: *\nM: $is\n";
}
END
dialogues "$work/random.txt"
dialogues -a "$work/random.txt"

cat >"$work/odd.txt" <<END
== two thousand chunks of a byte
limit 60
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B*2000: x
S*2000: 250 ok
L: y
S: 250 ok * qp *
E: *
M: \\{2000:x}y\\n

== around the size of the buffer
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
$(for size in 65533 65534 65535 65536 65537; do
	printf 'B: \\{%d:x}\\r\nS: 250 ok\nB: \\n\nS: 250 ok\n' $size
done)
L: .\\r\\n
S: 250 ok * qp *
E: *
M: \\{65533:x}\\n\\{65534:x}\\n\\{65535:x}\\n\\{65536:x}\\n\\{65537:x}\\n.\\n

== the largest size there is: nothing of it becomes a command
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
R: BDAT 18446744073709551615 LAST\\r\\n\\{70000:MAIL FROM:<x>\\r\\nQUIT\\r\\n}
HALF
EOF
STATUS: 1

== the same before MAIL
S: 220 *
R: BDAT 18446744073709551615\\r\\n\\{70000:MAIL FROM:<x>\\r\\nQUIT\\r\\n}
HALF
EOF
STATUS: 1

== a queue program that ends at once: its reply comes with the chunk
queue unread exit=31
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: \\{400000:x}
S: 554 mail server permanently rejected message (#5.3.0)
B: QUIT\\r\\n
S: 503 an earlier chunk has failed (#5.5.1)
C: RSET
S: 250 flushed

== one that takes no more than a part of it, and says that all is well
queue read=100
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: \\{400000:x}
S: 451 qq read error (#4.3.0)
L: QUIT\\r\\n
S: 503 an earlier chunk has failed (#5.5.1)

== one that hangs when the client gives up: it is killed
once
env SMTPD_QUEUE_TIMEOUT=1
env QMAILQUEUE=$work/hangs
S: 220 *
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: x
S: 250 ok
C: RSET
S: 250 flushed
C: NOOP
S: 250 ok
LOG: started

== the client gets no second one while the first one runs
env QMAILQUEUE=$work/counts
S: 220 *
C*20: MAIL FROM:<>
C*20: RCPT TO:<u@example.org>
S: 250 ok
S*19: 503 only one MAIL*
S*20: 250 ok
B: x
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: x
S: 250 ok
C: EHLO x
S*6: 250*
C: MAIL FROM:<>
C: RCPT TO:<u@example.org>
S*2: 250 ok
L: x
S: 250 ok *
E: *
M: x\\n
END
cat >"$work/hangs" <<'END'
#!/bin/sh
echo started >&2
exec sleep 1000
END
# Notes it when another one is at work.
cat >"$work/counts" <<END
#!/bin/sh
mkdir "$work/at-work" || echo >"$work/not-alone"
queue-stub
code=\$?
rmdir "$work/at-work"
exit \$code
END
chmod 755 "$work/hangs" "$work/counts"
dialogues "$work/odd.txt"
if [ -e "$work/not-alone" ]; then not_ok 'never two at a time'; else ok 'never two at a time'; fi

cat >"$work/starttls.txt" <<'END'
== STARTTLS between chunks: nothing is queued, and a new message may begin
once
S: 220 *
C: MAIL FROM:<clear@client.example>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: in the clear\r
S: 250 ok
C: STARTTLS
S: 220 ready for tls
L: \n
S: 503 MAIL first (#5.5.1)
C: MAIL FROM:<tls@client.example>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: in\r
S: 250 ok
L: \nTLS\r\n
S: 250 ok * qp *
E: Ftls@client.example\0*
M: in\nTLS\n
END
dialogues "$work/starttls.txt" -- ucspi-plain smtpd

# recordio -a holds a client's bytes back where it must know what they are.
dialogues -a "$work/random.txt" -- sh -c 'exec recordio -a smtpd 2>/dev/null'

# A message of 100 MB; memory is not ours to count under a sanitizer.
megabytes=100
[ -z "${SANITIZE:-}" ] || megabytes=10
mkdir "$work/control" "$work/queue"
echo mx.example.org >"$work/control/me"
echo example.org >"$work/control/rcpthosts"
for option in -c -C; do
	rm -rf "$work/queue/1"
	big=$(CONTROLDIR=$work/control QUEUE_DIR=$work/queue QUEUE_PLAN=discard \
		QMAILQUEUE=$tests/queue-stub big-message "$option" "$megabytes" smtpd 2>&1)
	like "$big" '^250 ok [0-9]+ qp [0-9]+$' "a message of $megabytes MB ($option)"
	is "$(cat "$work/queue/1/digest")" "$(printf '%s\n' "$big" | sed -n 3p)" \
		'every byte of it arrives'
	memory=$(printf '%s\n' "$big" | sed -n 2p)
	is_plain 'smtpd needs less than 4 MB for it' || continue
	if [ "${memory:-9999}" -lt 4096 ]; then
		ok "smtpd needs less than 4 MB for it ($memory KiB)"
	else
		not_ok 'smtpd needs less than 4 MB for it' "VmHWM: $memory KiB"
	fi
done

done_testing
