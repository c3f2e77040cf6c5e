#!/bin/sh
# smtpd and SPF (case 55 of the list): every SPFBEHAVIOR with every result; what the
# client, the message, the log and the queue program are told; the operator's own
# rules; and a spfcheck that fails.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml
{
	cat <<'END'
zonedata:
  pass.test: [{ SPF: "v=spf1 ip4:192.0.2.7 -all" }]
  fail.test: [{ SPF: "v=spf1 -all exp=why.test" }]
  why.test: [{ TXT: "go away, %{i}" }]
  softfail.test: [{ SPF: "v=spf1 ~all" }]
  neutral.test: [{ SPF: "v=spf1 ?all" }]
  permerror.test: [{ SPF: "v=spf1 nonsense" }]
  temperror.test: [SERVFAIL]
  plain.test: [{ SPF: "v=spf1 a -all" }, { A: 192.0.2.99 }]
  all.test: [{ SPF: "v=spf1 +all" }]
  wordy.test: [{ SPF: "v=spf1 -all exp=words.test" }]
END
	printf '  words.test: [{ TXT: ["'
	for i in 1 2 3 4 5 6 7 8 9; do printf 'word%d 4567 ' $i; done
	printf '", "'
	for i in 1 2 3 4 5 6 7 8 9; do printf 'more%d 890123 5678901 345678 ' $i; done
	printf '"] }]\n'
} >"$work/zone"
start_server "$work/dns-log" spf-suite -s "$work/zone" "$work/questions"
export DNSCACHEIP="127.0.0.1:$port"

# A queue program that tells the log what it was told of SPF.
cat >"$work/queue" <<'END'
#!/bin/sh
echo "queue: ${SPFRESULT-unset} ${SPFDOMAIN-unset} ${SPFLOCAL-unset}" >&2
exec queue-stub
END
chmod 755 "$work/queue"
# spf: the dialogues of standard input
spf() {
	cat >"$work/spf.txt"
	dialogues -e "DNSCACHEIP=$DNSCACHEIP" -e "QMAILQUEUE=$work/queue" \
		"$work/spf.txt"
}
# sent FIELDS TOLD: the rest of a case whose mail is accepted; FIELDS are the first
# lines of the message, TOLD the queue program's words
sent() {
	cat <<END
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
${1:-T: }Received: from client.example.net *
LOG: queue: $2
END
}
# refused TEXT: that of one which is refused at each recipient
refused() {
	cat <<END
S: 250 ok
C*2: RCPT TO:<u@example.org>
S*2: 550 $1 (#5.7.1)
C: DATA
S: 503 RCPT first (#5.5.1)
END
}

# --- the table
# row RESULT EXPORTED REFUSED-FROM COMMENT
row() {
	for behavior in 0 1 2 3 4 5 6; do
		cat <<END

== 55: SPFBEHAVIOR $behavior, $1
env SPFBEHAVIOR=$behavior
S: 220 *
C: MAIL FROM:<u@$1.test>
END
		if [ "$behavior" -eq 0 ]; then
			echo 'S: 250 ok'
			sent '' 'unset unset unset'
		elif [ "$behavior" -lt "$3" ]; then
			echo 'S: 250 ok'
			sent "M: Received-SPF: $1 (mx.example.org:*$(echo "$4" |
				tr ' ' '*'))*\\n" "$2 $1.test unset"
		elif [ "$1" = temperror ]; then
			cat <<'END'
S: 451 SPF lookup failure (#4.3.0)
C: RCPT TO:<u@example.org>
S: 503 MAIL first (#5.5.1)
END
		elif [ "$1" = fail ]; then
			refused 'go away, 192.0.2.7'
		else
			refused "See http://spf.pobox.com/why.html?sender=u%40$1.test&ip=192.0.2.7&receiver=mx.example.org"
		fi
	done
}
{
	row pass pass 9 'SPF record at pass.test designates 192.0.2.7 as permitted sender'
	row fail fail 3 'SPF record at fail.test does not designate 192.0.2.7 as permitted sender'
	row softfail softfail 4 'transitioning SPF record at softfail.test does not designate 192.0.2.7 as permitted sender'
	row neutral neutral 5 '192.0.2.7 is neither permitted nor denied by SPF record at neutral.test'
	row permerror unknown 6 '*permerror.test*'
	row temperror error 2 'error in processing during lookup of temperror.test: DNS problem'
	row none none 6 'domain at none.test does not designate permitted sender hosts'
} >"$work/table"
spf <"$work/table"

# --- what is said, byte for byte
spf <<'END'
env SPFBEHAVIOR=1
== the field, folded, above our Received
S: 220 *
C: HELO helo.example
S: 250 *
C: MAIL FROM:<u@pass.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: Subject: x
C:
C: .
S: 250 ok * qp *
E: Fu@pass.test\0Tu@example.org\0\0
M: Received-SPF: pass (mx.example.org: SPF record at pass.test designates\n\t192.0.2.7 as permitted sender) client-ip=192.0.2.7; helo=helo.example;\n\tenvelope-from="u@pass.test"; receiver=mx.example.org;\n\tidentity=mailfrom; mechanism="ip4:192.0.2.7";\nReceived: from client.example.net (HELO helo.example) (192.0.2.7)\n  by mx.example.org with SMTP; *\nSubject: x\n\n

== a bounce is checked by HELO
S: 220 *
C: HELO pass.test
S: 250 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: pass (* helo=pass.test;*identity=helo;*\nReceived: *
LOG: queue: pass pass.test unset

== without HELO there is nothing to check
S: 220 *
C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: none (* helo="";*identity=helo;*\nReceived: *
LOG: queue: none  unset

== nothing ends the field but its end
S: 220 *
R: HELO h)\r\x01\xff"\\ x\r\n
S: 250 *
C: MAIL FROM:<"a\"b) (c"@pass.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: pass (mx.example.org: SPF record at pass.test designates\n\t192.0.2.7 as permitted sender) client-ip=192.0.2.7;\n\thelo="h)???\\"\\\\ x"; envelope-from="a\\"b) (c@pass.test";\n\treceiver=mx.example.org; identity=mailfrom; mechanism="ip4:192.0.2.7";\nReceived: *

== a long explanation is several lines
env SPFBEHAVIOR=3
S: 220 *
C: MAIL FROM:<u@wordy.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550-word1 4567 word2 *
S: 550 * more9 890123 5678901 345678* (#5.7.1)

== with SMTP_ENHANCED each has its code
env SPFBEHAVIOR=3
env SMTP_ENHANCED=1
S: 220 *
C: MAIL FROM:<u@wordy.test>
S: 250 *
C: RCPT TO:<u@example.org>
S: 550-5.7.1 word1 4567 word2 *
S: 550 5.7.1 * more9 890123 5678901 345678*

== one sender's result is not the next one's
env SPFBEHAVIOR=2
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RSET
S: 250 flushed
C: MAIL FROM:<u@temperror.test>
S: 451 *
C: MAIL FROM:<u@pass.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: pass (mx.*mechanism="ip4:192.0.2.7";\nReceived: *
LOG: queue: pass pass.test unset
C: MAIL FROM:<u@none.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: none (mx.*mechanism=default;\nReceived: *
LOG: queue: none none.test unset

== nor is its refusal
env SPFBEHAVIOR=3
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 go away, 192.0.2.7 (#5.7.1)
C: RSET
S: 250 flushed
C: MAIL FROM:<u@pass.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok

== what the chain says of SPF is not ours
env SPFBEHAVIOR=0
env SPFRESULT=pass
env SPFDOMAIN=evil.test
env SPFLOCAL=1
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: *
LOG: queue: unset unset unset

== SPF_LOG
env SPF_LOG=1
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
LOG: qmail-smtpd[*]: Received-SPF: fail (mx.example.org: SPF record at fail.test does not designate 192.0.2.7 as permitted sender)

== SPF_LOG when it refuses
env SPF_LOG=1
env SPFBEHAVIOR=2
S: 220 *
C: MAIL FROM:<u@temperror.test>
S: 451 *
LOG: qmail-smtpd[*]: Received-SPF: temperror (mx.example.org: error in processing during lookup of temperror.test: DNS problem)

== SPF_BLOCK_PLUS_ALL
env SPFBEHAVIOR=3
env SPF_BLOCK_PLUS_ALL=1
S: 220 *
C: MAIL FROM:<u@all.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 See * (#5.7.1)

== it is 0
env SPFBEHAVIOR=3
env SPF_BLOCK_PLUS_ALL=0
S: 220 *
C: MAIL FROM:<u@all.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok

== control/spfbehavior
env SPFBEHAVIOR
control spfbehavior 3
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 go away, 192.0.2.7 (#5.7.1)

== the variable wins
env SPFBEHAVIOR=0
control spfbehavior 3
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
END

# --- the operator's own
spf <<'END'
env SPFBEHAVIOR=3
== spfrules: before the record's last word
control spfrules ip4:192.0.2.0/24
S: 220 *
C: MAIL FROM:<u@plain.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: pass (mx.example.org: local policy designates*
LOG: queue: pass plain.test 1

== spfguess: without a record
env SPFBEHAVIOR=6
control spfguess ip4:192.0.2.7 -all
S: 220 *
C: MAIL FROM:<u@none.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: pass (mx.example.org: local policy designates*
LOG: queue: pass none.test 1

== spfguess may refuse
control spfguess -all
S: 220 *
C: MAIL FROM:<u@none.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 See * (#5.7.1)

== spfexp: where the domain does not explain
control spfexp not from %{i}, says %{xr}
S: 220 *
C: MAIL FROM:<u@plain.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 not from 192.0.2.7, says mx.example.org (#5.7.1)

== where it does
control spfexp not from %{i}, says %{xr}
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 go away, 192.0.2.7 (#5.7.1)

== the name of this host: the greeting's first word
control me
control smtpgreeting greeting.example says hello
control spfexp says %{xr}
S: 220 *
C: MAIL FROM:<u@plain.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 says greeting.example (#5.7.1)
END

# --- who is not asked about
: >"$work/questions"
spf <<'END'
env SPFBEHAVIOR=6
env SPF_LOG=1
== RELAYCLIENT
env RELAYCLIENT=
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: *
LOG: queue: unset unset unset

== this host, by loopback
env TCPREMOTEIP=127.0.0.1
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: pass (mx.example.org: local policy designates 127.0.0.1 as\n\tpermitted sender) client-ip=127.0.0.1; *
LOG: queue: pass fail.test 1

== of IPv6, and with an interface
env TCPREMOTEIP=::1%lo
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
END
is "$(cat "$work/questions")" '' 'and none of them costs a question'
own=$(ip -o -4 addr show scope global 2>/dev/null |
	awk '{ sub("/.*", "", $4); print $4; exit }')
if [ -n "$own" ]; then
	spf <<END
env SPFBEHAVIOR=3
== this host, by another address of it
env TCPREMOTEIP=$own
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
END
else
	skip 'it has none' 'this host, by another address of it'
fi
spf <<'END'
== a client without an address
env SPFBEHAVIOR=6
env TCPREMOTEIP
S: 220 *
C: MAIL FROM:<u@pass.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 See * (#5.7.1)
END

# A checkpassword program that knows everybody.
printf '#!/bin/sh\ncat <&3 >/dev/null\nexec "$@"\n' >"$work/checker"
chmod 755 "$work/checker"
cat >"$work/login.txt" <<'END'
env SPFBEHAVIOR=6
env ALLOW_INSECURE_AUTH=1
== a login: from then on, SPF is not asked about
S: 220 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 550 go away, 192.0.2.7 (#5.7.1)
C: RSET
S: 250 flushed
C: AUTH PLAIN AGEAYg==
S: 235 *
C: MAIL FROM:<u@fail.test>
S: 250 ok
C: RCPT TO:<u@elsewhere.example>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
T: Received: *
LOG: queue: unset unset unset
END
dialogues -e "DNSCACHEIP=$DNSCACHEIP" -e "QMAILQUEUE=$work/queue" \
	"$work/login.txt" -- smtpd host "$work/checker" true

# A file of these is read at the first sender.
mkdir "$work/broken" "$work/broken/spfguess"
echo mx.example.org >"$work/broken/me"
spf <<END
env CONTROLDIR=$work/broken
== one that cannot be read matters with SPF
env SPFBEHAVIOR=1
S: 220 *
C: MAIL FROM:<u@pass.test>
S: 421 unable to read controls (#4.3.0)
EOF
STATUS: 1
LOG: qmail-smtpd[*]: unable to read */broken/spfguess: is a directory

== and not without it
S: 220 *
C: MAIL FROM:<u@pass.test>
S: 250 ok
END

# --- a spfcheck that fails
mkdir "$work/bad"
# bad WHAT SCRIPT LOG: with that spfcheck, mail is put off, or the field says that
# nothing is known; and what the log says
bad() {
	printf '#!/bin/sh\n%s\n' "$2" >"$work/bad/spfcheck"
	chmod 755 "$work/bad/spfcheck"
	spf <<END
env PATH=$work/bad:$PATH
env SMTPD_HELPER_TIMEOUT=1
== $1: 451 where failures refuse
env SPFBEHAVIOR=2
S: 220 *
C: MAIL FROM:<u@pass.test>
S: 451 SPF lookup failure (#4.3.0)
LOG: qmail-smtpd[*]: $3

== $1: where they do not
env SPFBEHAVIOR=1
S: 220 *
C: HELO x
S: 250 *
C: MAIL FROM:<u@pass.test>
S: 250 ok
C: RCPT TO:<u@example.org>
S: 250 ok
C: DATA
S: 354 *
C: .
S: 250 ok * qp *
E: *
M: Received-SPF: temperror (spfcheck has failed)\nReceived: *
LOG: queue: error pass.test unset
END
}
# shellcheck disable=SC2016 # of the script
bad 'it crashes' 'kill -SEGV $$' 'spfcheck: crashed'
bad 'it hangs' 'exec sleep 60' 'spfcheck: killed, too late'
bad 'it has no memory' 'exit 111' 'spfcheck: exit 111, and no answer'
bad 'it says nothing' 'exit 0' 'spfcheck: exit 0, and no answer'
bad 'it says other than it exits' \
	'printf "pass\n\nReceived-SPF: pass (x)\npass.test mailfrom record\n"; exit 1' \
	'spfcheck: exit 1, and no answer'
bad 'it is of another version' 'printf "pass\n\nReceived-SPF: pass (x)\n"' \
	'spfcheck: exit 0, and no answer'
bad 'it never stops talking' 'exec yes pass' 'spfcheck: killed, too late'

# Neither in the PATH nor beside smtpd's own file.
mkdir "$work/alone" "$work/tools"
cp "$bin/smtpd" "$work/alone/smtpd"
for tool in sh env perl; do ln -s "$(command -v $tool)" "$work/tools/$tool"; done
cat >"$work/absent.txt" <<END
== it is not there
env PATH=$work/tools
env SPFBEHAVIOR=2
S: 220 *
C: MAIL FROM:<u@pass.test>
S: 451 SPF lookup failure (#4.3.0)
LOG: qmail-smtpd[*]: unable to run spfcheck: file does not exist
END
dialogues "$work/absent.txt" -- "$work/alone/smtpd"
done_testing
