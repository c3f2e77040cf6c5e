#!/bin/sh
# The fields that smtpd writes above its own Received, and Authentication-Results:
# what is in it, and that nobody else's has our name.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || need python3-yaml
cat >"$work/zone" <<'END'
zonedata:
  pass.test: [{ SPF: "v=spf1 ip4:192.0.2.7 -all" }]
  softfail.test: [{ SPF: "v=spf1 ~all" }]
  each.test: [{ SPF: "v=spf1 exists:%{l}.each.test -all" }]
  a.each.test: [{ A: 127.0.0.2 }]
  odd_name.test: [{ SPF: "v=spf1 ?all" }]
  7.2.0.192.in-addr.arpa: [{ PTR: client.test }]
  client.test: [{ A: 192.0.2.7 }]
  8.2.0.192.in-addr.arpa: [{ PTR: client.test }]
  10.2.0.192.in-addr.arpa: [SERVFAIL]
END
start_server "$work/dns-log" spf-suite -s "$work/zone" "$work/questions"
export DNSCACHEIP="127.0.0.1:$port"
# headers FILE ARGUMENT…: the dialogues in it
headers() {
	dialogues -e "DNSCACHEIP=$DNSCACHEIP" "$@"
}

# sent LINES: the rest of a transaction; LINES are the message.
sent() {
	cat <<END
C: RCPT TO:<u@example.org>
C: DATA
S: 250 ok
S: 354 *
C: Subject: x
C: .
S: 250 ok * qp *
E: *
M: $1Subject: x\\n
END
}
trace='Received: from *\n  by mx.example.org with SMTP; *\n'
{
	cat <<'END'
== the order, outermost first
env SMTP_AUTH_RESULTS=1
env SPFBEHAVIOR=1
env DATABYTES=11
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=pass.test\\nReceived-SPF: pass *\\n$trace"
	cat <<'END'

== no Authentication-Results unless it is wanted
env SPFBEHAVIOR=1
env SMTP_IPREV=1
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Received-SPF: pass *\\n$trace"
	cat <<'END'

== nothing to say
env SMTP_AUTH_RESULTS=1
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; none\\n$trace"
	cat <<'END'

== each message has its own
env SMTP_AUTH_RESULTS=1
env SPFBEHAVIOR=1
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=pass.test\\n*"
	printf 'C: MAIL FROM:<a@softfail.test>\nS: 250 ok\n'
	sent "Authentication-Results: mx.example.org; spf=softfail smtp.mailfrom=softfail.test\\n*"
	printf 'C: MAIL FROM:<a>\nS: 250 ok\n'
	sent "Authentication-Results: mx.example.org; spf=none*"
	printf 'C: MAIL FROM:<a@nx.test>\nS: 250 ok\nC: RSET\nS: 250 flushed\n'
	printf 'C: MAIL FROM:<a@odd_name.test>\nS: 250 ok\n'
	sent "Authentication-Results: mx.example.org; spf=neutral smtp.mailfrom=odd_name.test\\n*"
	cat <<'END'

== a record for each address: then it is the address
env SMTP_AUTH_RESULTS=1
env SPFBEHAVIOR=1
S: 220 *
C: MAIL FROM:<a@each.test>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=a@each.test\\n*"
	printf 'C: MAIL FROM:<"b c"@each.test>\nS: 250 ok\n'
	sent "Authentication-Results: mx.example.org; spf=fail smtp.mailfrom=\"b c@each.test\"\\n*"
	cat <<'END'

== a bounce: the HELO name was checked
env SMTP_AUTH_RESULTS=1
env SPFBEHAVIOR=1
S: 220 *
C: HELO softfail.test
S: 250 *
C: MAIL FROM:<>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; spf=softfail smtp.helo=softfail.test\\n*"
	cat <<'END'

== the name is that of control/me, whatever the greeting
control smtpgreeting other.example NO UCE
env SMTP_AUTH_RESULTS=1
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; none\\n*"
	cat <<'END'

== without control/me, that of the greeting
control me
control localiphost x
control smtpgreeting other.example NO UCE
env SMTP_AUTH_RESULTS=1
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: other.example; none\\n*"
	cat <<'END'

== a name that is too long for any field
END
	printf 'control me %0300d x\n' 0
	cat <<'END'
env SMTP_AUTH_RESULTS=1
S: 220 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: \\{255:0}; none\\n*"
} >"$work/order.txt"
headers "$work/order.txt"

# The client's name: iprev IP RESULT SETTING…
iprev() {
	ip=$1 result=$2
	shift 2
	echo
	echo "== iprev of $ip: $result, $*"
	printf 'env %s\n' SMTP_AUTH_RESULTS=1 TCPREMOTEIP="$ip" "$@"
	printf 'S: 220 *\nC: MAIL FROM:<a@pass.test>\nS: 250 ok\n'
	sent "Authentication-Results: mx.example.org; iprev=$result policy.iprev=$ip\\n$trace"
}
{
	iprev 192.0.2.7 pass SMTP_IPREV=1
	iprev 192.0.2.8 fail SMTP_IPREV=1
	iprev 192.0.2.9 permerror SMTP_IPREV=1
	iprev 192.0.2.10 temperror SMTP_IPREV=1
	iprev 192.0.2.9 pass SMTP_IPREV=2
	iprev 192.0.2.9 permerror SMTP_IPREV=2 TCPREMOTEHOST
	iprev 192.0.2.7 temperror SMTP_IPREV=1 PATH="$work/broken:$PATH"
	echo 'LOG: qmail-smtpd[*]: *spfcheck*'
	printf 'C: MAIL FROM:<a@pass.test>\nS: 250 ok\n'
	sent "Authentication-Results: mx.example.org; iprev=temperror policy.iprev=192.0.2.7\\n$trace"
} >"$work/iprev.txt"
mkdir "$work/broken"
printf '#!/bin/sh\nexit 1\n' >"$work/broken/spfcheck"
chmod 755 "$work/broken/spfcheck"
headers "$work/iprev.txt"
mkdir "$work/alone"
cp "$bin/smtpd" "$work/alone/"
iprev 192.0.2.7 temperror SMTP_IPREV=1 PATH="$tests:/usr/bin:/bin" >"$work/missing.txt"
echo 'LOG: qmail-smtpd[*]: *spfcheck: *' >>"$work/missing.txt"
headers "$work/missing.txt" -- "$work/alone/smtpd"

# It is asked for once in a session.
: >"$work/questions"
{
	printf '== two messages\nenv SMTP_AUTH_RESULTS=1\nenv SMTP_IPREV=1\nS: 220 *\n'
	for message in 1 2; do
		printf 'C: MAIL FROM:<%d@pass.test>\nS: 250 ok\n' $message
		sent 'Authentication-Results: mx.example.org; iprev=pass policy.iprev=192.0.2.7\n*'
	done
} >"$work/once.txt"
headers "$work/once.txt"
is "$(grep -c in-addr.arpa "$work/questions")" 1 'one question for both'

# Logins.
cat >"$work/checker" <<'END'
#!/bin/sh
tr '\0' '\n' <&3 | grep -qx secret && exec "$@"
exit 1
END
chmod 755 "$work/checker"
# login NAME SHOWN
login() {
	echo
	echo "== a login: $2"
	cat <<END
env ALLOW_INSECURE_AUTH=1
env SMTP_AUTH_RESULTS=1
env SMTP_IPREV=1
env SPFBEHAVIOR=3
S: 220 *
C: AUTH PLAIN $(printf '\0%s\0secret' "$1" | base64)
S: 235 *
C: MAIL FROM:<a@pass.test>
S: 250 ok
END
	sent "Authentication-Results: mx.example.org; iprev=pass policy.iprev=192.0.2.7;\\n\\tauth=pass smtp.auth=$2\\n$trace"
}
{
	login joe joe
	login joe@example.org joe@example.org
	login 'jo e;x=y' '"jo e;x=y"'
	login 'j"o\e' '"j\\"o\\\\e"'
} >"$work/logins.txt"
headers "$work/logins.txt" -- smtpd mx.example.org "$work/checker" true

# Fields in our name.
cat >"$work/forged.txt" <<'END'
env SMTP_AUTH_RESULTS=1
== forged ones go, others stay, and those in the text
S: 220 *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Received: from a by b
C: Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=bank.example
C: Authentication-Results: other.example; spf=pass
C: authentication-results:  (hi) MX.Example.ORG 1;
C:  dkim=pass
C: 	header.d=bank.example
C: Authentication-Results:
C:  mx.example.org; none
C: Authentication-Results: "mx.example.org"; none
C: Authentication-Results : mx.example.org; none
C: Authentication-Resultsx: mx.example.org; none
C: Received-SPF: pass forged
C: Subject: x
C: 
C: Authentication-Results: mx.example.org; none
C: .
S: 250 ok * qp *
E: *
M: Authentication-Results: mx.example.org; none\nReceived: from client*\n  by mx.example.org *\nReceived: from a by b\nAuthentication-Results: other.example; spf=pass\nAuthentication-Resultsx: mx.example.org; none\nReceived-SPF: pass forged\nSubject: x\n\nAuthentication-Results: mx.example.org; none\n

== the same in chunks
S: 220 *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
S*2: 250 ok
B: X: 1\r\nAuthenti
S: 250 ok
B: cation-Results: mx.ex
S: 250 ok
B: ample.org;\r\n dkim=pass\r
S: 250 ok
B: \nSubject: x\n\nAuthentication-Results: mx.example.org\r
S: 250 ok
L: \n
S: 250 ok * qp *
E: *
M: Authentication-Results: mx.example.org; none\nReceived: from client*\n  by mx.example.org *\nX: 1\nSubject: x\n\nAuthentication-Results: mx.example.org\n

== what is held at the end is not lost
S: 220 *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Authentication
C: .
S: 250 ok * qp *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
S*2: 250 ok
L: Authentication-Results: other.example
S: 250 ok * qp *
E: *
M: Authentication-Results: mx.example.org; none\nReceived: from client*\n  by mx.example.org *\nAuthentication\n
E: *
M: Authentication-Results: mx.example.org; none\nReceived: from client*\n  by mx.example.org *\nAuthentication-Results: other.example\n

== they count in the size of a message, as it came
env DATABYTES=45
S: 220 *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Authentication-Results: mx.example.org; none
C: .
S: 250 ok *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Authentication-Results: mx.example.org; none; none
C: .
S: 552 *
E: *
M: Authentication-Results: mx.example.org; none\nReceived: from client*\n  by mx.example.org *\n

== switched off, all stay
env SMTP_AUTH_RESULTS=0
S: 220 *
C: MAIL FROM:<a@pass.test>
C: RCPT TO:<u@example.org>
C: DATA
S*2: 250 ok
S: 354 *
C: Authentication-Results: mx.example.org; none
C: .
S: 250 ok *
E: *
M: Authentication-Results: mx.example.org; none\n
END
headers "$work/forged.txt"
headers -a "$work/forged.txt"
headers -b "$work/forged.txt"

done_testing
