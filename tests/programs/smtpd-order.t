#!/bin/sh
# smtpd: the order of its questions about a sender and about a recipient. In each
# case everything is wrong from a certain question on: that one is the reply.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
need cdb
/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml

cat >"$work/zone" <<'END'
zonedata:
  fail.test: [{ SPF: "v=spf1 -all exp=why.test" }]
  why.test: [{ TXT: "not from there" }]
  servfail.test: [SERVFAIL]
  nomail.test: [{ SPF: "v=spf1 -all" }, { TXT: nothing }]
END
start_server "$work/dns-log" spf-suite -s "$work/zone" "$work/questions"

mkdir "$work/bin"
cat >"$work/bin/check" <<'END'
#!/bin/sh
echo 550 no says the program >&4
exit 100
END
cat >"$work/bin/rblcheck" <<'END'
#!/bin/sh
printf 'reject\tlist.example\tany\t127.0.0.2\tsee list.example\n'
END
chmod 755 "$work"/bin/*
echo >"$work/empty"
cdb -c "$work/empty.cdb" "$work/empty"

# case_of TITLE SETTINGS SENDER REPLY RECIPIENT REPLY: without a last reply it is about
# MAIL. SETTINGS are separated by ';'.
case_of() {
	printf '\n== %s\n' "$1"
	printf '%s\n' "$2" | tr ';' '\n' | sed '/^$/d'
	cat <<-END
	S: 220 *
	C: HELO bad.helo
	S: 250 *
	C: MAIL FROM:$3
	S: $4
	END
	[ $# -lt 6 ] || cat <<-END
	C: RCPT TO:$5
	S: $6
	END
}

helo='control badhelo bad.helo'
from='control badmailfrom u@fail.test'
to='control badrcptto elsewhere'
relay='env RELAYREJ=1'
spf='env SPFBEHAVIOR=3'
table="env VALIDRCPTTO_CDB=$work/empty.cdb"
flag='env RCPTCHECK=1;control locals example.org'
program="env RCPTCHECK=$work/bin/check"
elsewhere='<u@elsewhere.example>'
here='<u@example.org>'
{
	case_of 'RELAYREJ, then badhelo' "$relay;$helo;$from;$to;$spf;$table;$program" \
		'<u@fail.test>' '250 ok' '<u%x@elsewhere.example>' \
		"553 we don't relay (#5.7.1)"
	case_of 'badhelo, then badmailfrom' "$helo;$from;$to;$spf;$table;$program" \
		'<u@fail.test>' '250 ok' "$elsewhere" \
		'553 sorry, your HELO host name has been denied (#5.7.1)'
	case_of 'badmailfrom, then badrcptto' "$from;$to;$spf;$table;$program" \
		'<u@fail.test>' '250 ok' "$elsewhere" \
		'553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)'
	case_of 'badrcptto, then SPF' "$to;$spf;$table;$program" \
		'<u@fail.test>' '250 ok' "$elsewhere" \
		'553 sorry, your envelope recipient has been denied (#5.7.1)'
	case_of 'SPF, then rcpthosts' "$spf;$table;$program" \
		'<u@fail.test>' '250 ok' "$elsewhere" \
		'550 not from there (#5.7.1)'
	case_of 'rcpthosts, then validrcptto' "$table;$program" \
		'<u@fail.test>' '250 ok' "$elsewhere" \
		"553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
	case_of "validrcptto, then RCPTCHECK's program" "$table;$program" \
		'<u@fail.test>' '250 ok' "$here" \
		'553 sorry, this recipient is not in my validrcptto list (#5.7.1)'
	case_of 'validrcptto, then the flag RCPTCHECK' "$table;$flag" \
		'<u@fail.test>' '250 ok' "$here" \
		'553 sorry, this recipient is not in my validrcptto list (#5.7.1)'
	case_of 'the program at last' "$program" \
		'<u@fail.test>' '250 ok' "$here" '550 no says the program'

	sanity='env SANITYCHECK='
	senders='env SENDERCHECK=STRICT'
	rbl='env RBL='
	mfcheck='env MFCHECK=1'
	size='control databytes 10'
	auth='env REQUIRE_AUTH=1'
	all="$size;$sanity;$senders;$rbl;$mfcheck;$spf"
	case_of 'REQUIRE_AUTH, then what an address is' "$auth;$all" \
		"<$(printf '%0900d' 0)@x> SIZE=11" '503 AUTH first (#5.5.1)'
	case_of 'an address, then SIZE' "$all" \
		"<$(printf '%0900d' 0)@x> SIZE=11" '555 syntax error (#5.5.4)'
	case_of 'SIZE, then SANITYCHECK' "$all" '<u> SIZE=11' \
		'552 sorry, that message size exceeds my databytes limit (#5.3.4)'
	case_of 'SANITYCHECK, then SENDERCHECK' "$sanity;$senders;$rbl;$mfcheck;$spf" \
		'<u>' '554 mailfrom without @ is administratively denied'
	case_of 'SENDERCHECK, then RBL' "$senders;$rbl;$mfcheck;$spf" '<u@nomail.test>' \
		'554 refused mailfrom because valid local sender address required'
	case_of 'RBL, then MFCHECK' "$rbl;$mfcheck;$spf" '<u@nomail.test>' \
		'553 sorry, your mailserver [192.0.2.7] is rejected by see list.example'
	case_of 'MFCHECK, then SPF' "$mfcheck;$spf" '<u@servfail.test>' \
		'451 DNS temporary failure (#4.3.0)'
	case_of 'SPF at last' "$spf" '<u@servfail.test>' \
		'451 SPF lookup failure (#4.3.0)'
} >"$work/order.txt"
dialogues -e "DNSCACHEIP=127.0.0.1:$port" -e "PATH=$work/bin:$PATH" "$work/order.txt" \
	-- smtpd mx.example.org "$tests/checker" true

# STARTTLS is offered where there are descriptors; nobody need be behind them.
cat >"$work/tls.txt" <<END
== STARTTLS, then AUTH
env SSLCTLFD=5
env SSLREADFD=6
env SSLWRITEFD=7
env FORCE_TLS=1
env REQUIRE_AUTH=1
S: 220 *
C: MAIL FROM:$elsewhere
S: 503 STARTTLS first (#5.5.1)
END
# shellcheck disable=SC2016 # of the other shell
dialogues "$work/tls.txt" -- sh -c 'exec 5</dev/null 6</dev/null 7>/dev/null
	exec smtpd mx.example.org "$1" true' sh "$tests/checker"

done_testing
