#!/bin/sh
# What the guides show, byte for byte: the dialogues and the logs of the install guide,
# and the service of "the djb way" under its softlimit; with our tcpserver and Debian's.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034,SC2154 # for and from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns.sh"
. "$tests/tls.sh"
. "$(dirname "$0")/chain.sh"
need swaks /usr/bin/tcpserver softlimit envuidgid python3 openssl "$BUILD/port53.so"

write_senders() {
	zone homedomain.com <<-'END'
		@ MX 10 mail
	END
	zone example.com <<-'END'
		@ MX 10 mail
	END
}
start_dns write_senders
prepare_chain
note_environment
make_ca
make_certificate mx qmail.example.com
echo qmail.example.com >"$work/control/me"
echo qmail.example.com >"$work/control/rcpthosts"
echo "kamran@example.com $(echo secret | auth-cdb -m sha512)" \
	>"$work/control/authusers"
mkauth -n -q "$work" -p /dev/null -s /dev/null -c "$work/control/auth.cdb"
chmod 711 "$work"
chmod -R a+rX "$work/control" "$work/mx"
chmod -R a+rwX "$work/Maildir"

# serve SERVER COMMAND…: what the words say is the tcpserver, started with a
# log of its own
serve() {
	serve_with=$1
	shift
	rm -f "$work/port" "$work/log"
	(
		# Debian's takes one name server, on port 53.
		if [ "$serve_with" = debian ]; then
			TEST_DNS_PORT=$dns_port LD_PRELOAD=$BUILD/port53.so
			ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
			export TEST_DNS_PORT LD_PRELOAD ASAN_OPTIONS
			PATH=/usr/bin:$PATH
		fi
		DNSCACHEIP=127.0.0.1:$dns_port
		[ "$serve_with" != debian ] || DNSCACHEIP=127.0.0.1
		export DNSCACHEIP
		exec "$@"
	) >"$work/port" 2>"$work/log" &
	server=$!
	started="$started $server"
	wait_until test -s "$work/port" || {
		echo "Bail out! $* did not start: $(cat "$work/log")"
		exit 1
	}
	port=$(head -n 1 "$work/port")
}
# talk NAME: a client whose words are standard input
talk() {
	said=$(smtp-talk -c "$work/ca.pem" -n qmail.example.com 127.0.0.1 "$port" 2>&1)
	is "$?$(printf '%s\n' "$said" |
		grep -A9 '^wanted: \|^the server has\|Error')" 0 "$1"
	wait_for_line "$work/log" '^tcpserver: end '
}
# What the log says of it, without what other programs do; P is the pid.
log_of_it() {
	sed -n '/^tcpserver: pid /,$p' "$work/log" |
		sed '/^tlsd: /d; /^queue-maildir: /d
		s/^\(tcpserver: [a-z]* \)[0-9]\{2,\}/\1P/; s/\[[0-9]*\]: /[P]: /
		s/::[0-9]*$/::N/'
}

echo '127.:allow,PEERTEST="1"' | /usr/bin/tcprules "$work/rules.cdb" "$work/tmp"
chmod 644 "$work/rules.cdb"
base64_of() {
	# shellcheck disable=SC2059 # escapes are the point
	printf "$1" | base64 -w 0
}

# shellcheck disable=SC2086 # $smtpd is words
for which in ours debian; do
	rm -f "$work/Maildir/new"/*
	# What comes behind Debian's tcpserver knows where to ask.
	smtpd=qmail-smtpd
	[ $which = ours ] || smtpd="env -u LD_PRELOAD DNSCACHEIP=127.0.0.1:$dns_port qmail-smtpd"

	# The dialogue of the guide, by telnet, and what arrives.
	export SMTPGREETING='qmail.example.com NO UCE' MFCHECK=1 SPFBEHAVIOR=3
	serve $which tcpserver -1 -vR -l qmail.example.com -c 30 \
		-x "$work/rules.cdb" 127.0.0.1 0 $smtpd
	(
		smtp-talk 127.0.0.1 "$port" <<-'TALK'
			S: .
			C: ehlo kworkbee.homedomain.com
			S: .
			C: mail from: kamranazeem@homedomain.com
			S: .
			C: rcpt to: kamran@example.com
			S: .
			C: rcpt to: kamran@qmail.example.com
			S: .
			C: data
			S: .
			C: Subject: test message
			C:
			C: This is a test over SMTP from another machine.
			C: .
			S: .
			C: quit
			S: .
		TALK
	) 2>&1 | sed -n 's/ [0-9]* qp [0-9]*$/ TIME qp PID/; s/^S: \([0-9]\)/\1/p; /^C:/p' \
		>"$work/said"
	wait_for_line "$work/log" '^tcpserver: end '
	cat >"$work/wanted" <<-'END'
		220 qmail.example.com NO UCE ESMTP
		C: ehlo kworkbee.homedomain.com
		250-qmail.example.com NO UCE
		250-SIZE 0
		250-PIPELINING
		250-CHUNKING
		250-SMTPUTF8
		250 8BITMIME
		C: mail from: kamranazeem@homedomain.com
		250 ok
		C: rcpt to: kamran@example.com
		553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)
		C: rcpt to: kamran@qmail.example.com
		250 ok
		C: data
		354 go ahead
		C: Subject: test message
		C:
		C: This is a test over SMTP from another machine.
		C: .
		250 ok TIME qp PID
		C: quit
		221 qmail.example.com NO UCE
	END
	same_file "$work/said" "$work/wanted" "$which: the dialogue of the guide"
	stop "$server"
	is "$(log_of_it)" "tcpserver: pid P from 127.0.0.1
tcpserver: ok P qmail.example.com:127.0.0.1:$port server.mail.test:127.0.0.1::N
tcpserver: end P status 0
tcpserver: status: 0/30" "$which: and tcpserver's log of it"
	# The fields of ours that are folded are one line for this.
	delivered kamran@qmail.example.com | xargs perl -0777 -pe 's/\n\t/ /g' |
		sed \
		's/; .* [0-9:]* [-+][0-9]*$/; DATE/; s/(qmail [0-9]* invoked .*);/(qmail PID invoked BY);/' \
		>"$work/arrived"
	cat >"$work/wanted" <<-'END'
		Return-Path: <kamranazeem@homedomain.com>
		Delivered-To: kamran@qmail.example.com
		Received: (qmail PID invoked BY); DATE
		Received-SPF: pass (qmail.example.com: local policy designates 127.0.0.1 as permitted sender) client-ip=127.0.0.1; helo=kworkbee.homedomain.com; envelope-from="kamranazeem@homedomain.com"; receiver=qmail.example.com; identity=mailfrom; mechanism=default;
		Received: from server.mail.test (HELO kworkbee.homedomain.com) (127.0.0.1)
		  by qmail.example.com with SMTP; DATE
		Subject: test message

		This is a test over SMTP from another machine.
	END
	same_file "$work/arrived" "$work/wanted" "$which: the message in the Maildir"
	unset SMTPGREETING SPFBEHAVIOR

	# Logged in by LOGIN, and the guide's log of it.
	export MFCHECK=3 QMAILSMTPD_LOG_MAIL=1 QMAILSMTPD_LOG_RCPT=1 \
		AUTH_CDB="$work/control/auth.cdb" TLS_SERVER_CERT="$work/mx"
	serve $which tcpserver -1 -vR -l mail.example.com -c 30 \
		-x "$work/rules.cdb" 127.0.0.1 0 $smtpd
	talk "$which: a login by LOGIN" <<-TALK
		S: ^220 qmail\.example\.com ESMTP$
		C: EHLO [192.0.2.5]
		S: 250-STARTTLS\n
		C: STARTTLS
		S: ^220 ready for tls$
		TLS
		C: EHLO [192.0.2.5]
		S: ^250-qmail\.example\.com\n250-AUTH LOGIN PLAIN\n250-AUTH=LOGIN PLAIN\n250-SIZE 0\n
		C: AUTH LOGIN
		S: ^334 VXNlcm5hbWU6$
		C: $(base64_of kamran@example.com)
		S: ^334 UGFzc3dvcmQ6$
		C: $(base64_of secret)
		S: ^235 ok, go ahead \(#2\.0\.0\)$
		C: MAIL FROM:<kamran@example.com>
		S: ^250 ok$
		C: RCPT TO:<kamran@wbitt.com>
		S: ^250 ok$
		C: DATA
		S: ^354 go ahead$
		C: .
		S: ^250 ok [0-9]+ qp [0-9]+$
		C: QUIT
		S: ^221 qmail\.example\.com$
	TALK
	stop "$server"
	is "$(log_of_it)" "tcpserver: pid P from 127.0.0.1
tcpserver: ok P mail.example.com:127.0.0.1:$port server.mail.test:127.0.0.1::N
qmail-smtpd[P]: AUTH successful [127.0.0.1] kamran@example.com
qmail-smtpd[P]: MFCHECK pass [127.0.0.1] example.com
qmail-smtpd[P]: MAIL FROM:<kamran@example.com>
qmail-smtpd[P]: RCPT TO:<kamran@wbitt.com>
tcpserver: end P status 0
tcpserver: status: 0/30" "$which: the guide's log of a login"
	is "$(sed -n 's/^tcpserver: pid \([0-9]*\) .*/\1/p' "$work/log")" \
		"$(sed -n 's/^qmail-smtpd\[\([0-9]*\)\]: AUTH.*/\1/p' "$work/log")" \
		"$which: it is one pid"
	like "$(received_from kamran@wbitt.com)" \
		'^Received: from server\.mail\.test \(HELO \[192\.0\.2\.5\]\) \(kamran@example\.com@127\.0\.0\.1\) by mail\.example\.com with TLS_[A-Z0-9_]+ encrypted SMTP$' \
		"$which: and its message says who sent it"
	unset MFCHECK QMAILSMTPD_LOG_MAIL QMAILSMTPD_LOG_RCPT AUTH_CDB \
		TLS_SERVER_CERT

	# What the guide saw before it was set up.
	export VALIDRCPTTO_CDB="$work/nowhere.cdb"
	serve $which tcpserver -1 -vR -l qmail.example.com 127.0.0.1 0 qmail-smtpd
	talk "$which: a wrong setting" <<-'TALK'
		S: ^421 unable to read controls \(#4\.3\.0\)$
		EOF
	TALK
	stop "$server"
	like "$(cat "$work/log")" '^tcpserver: end [0-9]+ status 256$' \
		"$which: and its status in the log"
	unset VALIDRCPTTO_CDB
done

# ---- the djb way ----

cat >"$work/smtp.rules" <<'END'
127.0.0.1:allow,RELAYCLIENT=""
127.0.0.2:allow,DATABYTES="20000000"
127.0.0.3:allow
:deny
END
echo 1000000 >"$work/control/databytes"
chmod a+r "$work/control/databytes"
perl -e 'print "Subject: large\n\n", ("x" x 99 . "\n") x 109_000' >"$work/large"
perl -e 'print "Subject: small\n\n", ("x" x 99 . "\n") x 8_000, "x"' >"$work/small"
{ cat "$work/small"; echo; } >"$work/small.whole"  # by swaks
# send SOURCE FILE RECIPIENT: what is said of it, if it is no
send() {
	swaks --server 127.0.0.1 --port "$port" --local-interface "$1" \
		--helo client.example --from a@client.example --to "$3" \
		--data "@$work/$2" 2>&1 | sed -n 's/^<\*\* //p'
}
for which in ours debian; do
	is_plain "$which: softlimit" || continue
	rm -f "$work/Maildir/new"/*
	limit=3000000
	if is_dynamic "$bin/qmail-smtpd" || [ $which = debian ]; then
		limit=30000000
	fi
	if [ "$(id -u)" -eq 0 ]; then set -- envuidgid nobody
	else set --; fi
	if [ $# -gt 0 ]; then become=-U; else become=; fi
	CONLIMIT=15
	tcprules "$work/smtp.cdb" "$work/tmp" <"$work/smtp.rules"
	chmod 644 "$work/smtp.cdb"
	# shellcheck disable=SC2086 # maybe no word
	serve $which "$@" softlimit -m $limit -f 10000000 \
		tcpserver -1 -v -HR $become -c $CONLIMIT -x "$work/smtp.cdb" \
		127.0.0.1 0 qmail-smtpd
	like "$(cat "$work/log")" '^tcpserver: status: 0/15$' "$which: CONLIMIT"
	is "$(send 127.0.0.1 small relayed@elsewhere.example)" '' \
		"$which: the host itself may relay"
	arrived relayed@elsewhere.example "$work/small.whole" "$which: byte for byte"
	like "$(send 127.0.0.3 small u@elsewhere.example)" \
		"^553 sorry, that domain isn't in my list of allowed rcpthosts" \
		"$which: others may not"
	is "$(send 127.0.0.3 large u@qmail.example.com)" \
		'552 sorry, that message size exceeds my databytes limit (#5.3.4)' \
		"$which: databytes is for everybody"
	is "$(send 127.0.0.2 large u@qmail.example.com)" \
		'451 qq write error or disk full (#4.3.0)' \
		"$which: but for one host, whose message is larger than a file may be"
	is "$(delivered | wc -l)" 1 "$which: nothing of it is there"
	is "$(ls -A "$work/Maildir/tmp")" '' "$which: nor in tmp"
	stop "$server"
	is "$(delivered | xargs ls -n | awk '{ print $3 }')" \
		"$(if [ -n "$become" ]; then id -u nobody; else id -u; fi)" \
		"$which: delivered by the user of envuidgid"
done
done_testing
