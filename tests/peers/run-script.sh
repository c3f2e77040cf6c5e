# What the tests of the guides' run script share; read in after chain.sh and
# dns_lists.sh: the script itself, a service that it starts under given settings,
# over real DNS, and clients that come from other addresses.
# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # for the tests; from the files read in

mkdir "$work/service" "$work/with-debian"
ln -s /usr/bin/tcpserver "$work/with-debian/tcpserver"

# An ordinary user can become nobody else.
user=
[ "$(id -u)" -ne 0 ] || user=nobody

cat >"$work/service/run" <<'END'
#!/bin/sh
exec 2>&1
. ./settings
LOCAL=$(head -n 1 "$VQ/control/me")
stop() {
	echo "$*"
	exit 1
}
[ -n "$IP" ] || stop 'IP is not set'
SCMD=tcpserver
if [ "$SSL" = 1 ]; then
	CERTFILE=$SSL_CERT KEYFILE= DHFILE=
	export CERTFILE KEYFILE DHFILE
	SCMD='sslserver -e'
else
	TLS_SERVER_CERT=$SSL_CERT
fi
if [ "$IP" = 127.0.0.1 ]; then
	RELAYCLIENT=
	export RELAYCLIENT
	ACMD=
else
	[ -f "$SMTP_CDB" ] || stop "$SMTP_CDB is not there"
	ACMD="-x $SMTP_CDB"
fi
RBLCMD=
if [ -n "$RBLSMTPD_PROG" ]; then
	for name in $RBL_GOOD; do RBLCMD="$RBLCMD -a $name"; done
	for name in $RBL_BAD; do RBLCMD="$RBLCMD -r $name"; done
	[ -z "$RBLCMD" ] || RBLCMD="$RBLSMTPD_PROG -t0 $RBLCMD"
fi
CHECKER=
if [ "$AUTH" != 1 ]; then
	AUTH_CDB=
elif [ -z "$AUTH_CDB" ]; then
	[ -n "$CHECKPW" ] || stop 'ERROR: AUTH=1 but no AUTH_CDB or CHECKPW'
	CHECKER="$LOCAL $CHECKPW $TRUE"
fi
if [ "$DOMAINKEYS" = 1 ]; then
	DKQUEUE=$QMAILQUEUE QMAILQUEUE=$VQ/bin/qmail-dk AUTH_UNSET_DKVERIFY=1
	export DKQUEUE
else
	DKVERIFY= DKSIGN= AUTH_SET_DKSIGN=
fi
IDS=
[ -z "$QUSER" ] || IDS="-u $(id -u "$QUSER") -g $(id -g "$QUSER")"
for name in SSL MAXLOAD MAXCONNIP MAXCONNC DIEMSG DIEMSG_MAXLOAD DIEMSG_MAXCONNIP \
	DIEMSG_MAXCONNC JGREYLIST_DIR JGREYLIST_NOREV \
	JGREYLIST_BY_IP JGREYLIST_HOLDTIME JGREYLIST_LOG JGREYLIST_LOG_PID \
	JGREYLIST_LOG_SMTP JGREYLIST_TIMEOUT JGREYLIST_LIMIT SMTPGREETING \
	GREETDELAY DROP_PRE_GREET FORCE_TLS DENY_TLS TLS_SERVER_CERT MFCHECK \
	MAXRCPT RELAYREJ QMAILSMTPD_LOG_MAIL QMAILSMTPD_LOG_RCPT \
	QMAILSMTPD_HELP_VERSION RCPTCHECK REQUIRE_AUTH ALLOW_INSECURE_AUTH AUTH_CDB \
	AUTH_SET_MFCHECK AUTH_SET_MAXRCPT AUTH_SET_DATABYTES \
	AUTH_SET_SPFBEHAVIOR AUTH_SET_VALIDRCPTTO_LIMIT \
	AUTH_SET_VALIDRCPTTO_LOG AUTH_SET_SPF_LOG AUTH_SET_RELAYREJ \
	AUTH_SET_VALIDRCPTTO_CDB AUTH_SET_QMAILSMTPD_LOG_MAIL \
	AUTH_SET_QMAILSMTPD_LOG_RCPT AUTH_SET_DKSIGN AUTH_UNSET_DKVERIFY \
	VALIDRCPTTO_CDB VALIDRCPTTO_LIMIT VALIDRCPTTO_LOG \
	SPFBEHAVIOR SPF_LOG SPF_BLOCK_PLUS_ALL DKVERIFY DKSIGN \
	QMAILQUEUE NOP0FCHECK SIMSCAN_DEBUG SIMSCAN_DEBUG_FILES; do
	eval "if [ -n \"\$$name\" ]; then
		echo \"$name=\\\"\$$name\\\"\"; export $name; fi"
done
CMD="$SCMD -vR -l $LOCAL -c $MAX $IDS $ACMD $IP $PORT $RBLCMD $GREYLIST $RECORDIO $SMTPD $CHECKER"
echo "command-line: exec $CMD 2>&1"
exec $CMD 2>&1
END
chmod 755 "$work/service/run"

# What a user sets. The lines that a case adds come behind, and win.
settings() {
	cat <<-END
		VQ=$work
		PATH=$folders:/usr/bin:/bin
		QUSER=$user
		IP=127.0.0.2
		PORT=$run_port
		SSL=0
		SMTP_CDB=$cdb
		MAX=30
		AUTH=0
		RBLSMTPD_PROG=rblsmtpd
		RBL_BAD="bad.test worse.test:See_http://worse.test/?%IP%"
		GREYLIST=jgreylist
		JGREYLIST_DIR=$work/greylist
		SMTPD=qmail-smtpd
		QMAILQUEUE=$work/queue
	END
	cat
}

# start_service: under the settings on standard input; a fresh greylist
start_service() {
	rm -rf "$work/greylist"
	mkdir "$work/greylist"
	chmod 777 "$work/greylist"
	cat >"$work/added"
	# The port may be somebody else's by the time that it is ours.
	for try in 1 2 3 4 5; do
		run_port=$(free_port)
		settings <"$work/added" >"$work/service/settings"
		: >"$work/log"
		run_service >"$work/log" 2>&1 </dev/null &
		service=$!
		wait_until service_is_known
		grep -q "$listens" "$work/log" || continue
		started="$started $service"
		address=$(sed -n 's/^IP=//p' "$work/service/settings" | tail -n 1)
		return
	done
	echo "Bail out! it did not start, $try times: $(cat "$work/log")"
	exit 1
}
listens='^[a-z]*server: status: 0/30'
service_is_known() {
	grep -q "$listens" "$work/log" || ! kill -0 "$service"
}
# Debian's tcpserver asks port 53 and takes one server; that has the names.
run_service() {
	cd "$work/service" || exit
	DNSCACHEIP=127.0.0.1:$dns_port,127.0.0.1:$lists_port
	if [ "$server_name" = debian ]; then
		DNSCACHEIP=127.0.0.1:$lists_port
		TEST_DNS_PORT=$dns_port
		LD_PRELOAD=$BUILD/port53.so
		# What comes behind it may have been built with a sanitizer.
		ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0
		export TEST_DNS_PORT LD_PRELOAD ASAN_OPTIONS
	fi
	export DNSCACHEIP
	exec ./run
}
stop_service() {
	stop "$service"
}

# come SOURCE [LINE…]: a client; what it hears is $heard, the log's new lines
# $logged. It sends when it has been greeted.
come() {
	lines_before=$(wc -l <"$work/log")
	source=$1
	shift
	heard=$(tcpclient -R -H -l 0 -i "$source" "$address" "$run_port" sh -c '
		read -r line <&6 && echo "$line"
		case $line in 220*) printf "%s\r\n" "$@" >&7 ;; esac
		cat <&6' sh "$@" 2>&1 | tr -d '\r')
	wait_until ended_since "$lines_before"
	logged=$(tail -n "+$((lines_before + 1))" "$work/log" | tr -d '\r')
}
ended_since() {
	tail -n "+$(($1 + 1))" "$work/log" | grep -Eq '^(tcp|ssl)server: end '
}
# come_and_talk SOURCE NAME: the same with smtp-talk's script on standard input,
# which must go as written
come_and_talk() {
	lines_before=$(wc -l <"$work/log")
	heard=$(smtp-talk -c "$work/ca.pem" -n mx.example.org -i "$1" "$address" \
		"$run_port" 2>&1)
	is "$?$(printf '%s\n' "$heard" |
		grep -A9 '^wanted: \|^the server has\|Error')" 0 "$2"
	wait_until ended_since "$lines_before"
	logged=$(tail -n "+$((lines_before + 1))" "$work/log")
}
# what smtpd has logged in the meantime, without its pid
smtpd_logged() {
	printf '%s\n' "$logged" | sed -n 's/^qmail-smtpd\[[0-9]*\]: //p'
}
last_reply() {
	printf '%s\n' "$heard" | tail -n 2 | head -n 1
}
