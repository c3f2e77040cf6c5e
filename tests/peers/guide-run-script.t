#!/bin/sh
# The run script that the guides lead to, which half of the qmail servers out
# there have in some form: settings on top, a command line made of them below,
# every JGREYLIST_ variable exported only if it is not empty. The script here is
# our own, with that command line and those names. It is run with our tcpserver
# and with Debian's, with rules by either's tcprules, over real DNS lists; and
# each setting that is about lists or greylisting must do what it says.
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2154 # from the files read in
. "$(dirname "$0")/../lib.sh"
. "$tests/dns_lists.sh"
. "$(dirname "$0")/chain.sh"
need /usr/bin/tcpserver /usr/bin/tcprules "$BUILD/port53.so" "$bin/rblsmtpd" \
	"$bin/jgreylist" "$bin/jgreylist-clean"

# Clients come from 127.0.N.1. Nobody is on more than the lists below; who has a
# name, has it from tests/dns.sh.
# shellcheck disable=SC2034 # for tests/dns_lists.sh
write_lists() {
	lists=
	list bad.test ip4set <<-'END'
		:127.0.0.2:Listed, see http://bad.test/?$
		127.0.0.2
		127.0.21.0/24
		127.0.22.0/24
	END
	list worse.test ip4set <<-'END'
		127.0.0.2 :127.0.0.2:
		127.0.23.0/24 :127.0.0.2:
	END
	list good.test ip4set <<-'END'
		127.0.0.2 :127.0.0.2:
		127.0.22.0/24 :127.0.0.2:
	END
}
start_rbldnsd
start_dns
prepare_chain
chmod 711 "$work"
chmod -R a+rX "$work/control"
chmod -R a+rwX "$work/Maildir"

. "$(dirname "$0")/run-script.sh"

# knock SOURCE: as far as RCPT
knock() {
	come "$1" 'EHLO client.example' 'MAIL FROM:<a@client.example>' \
		'RCPT TO:<u@example.org>' QUIT
}
verdict() {
	printf '%s\n' "$logged" |
		sed -n 's/^jgreylist\[[0-9]*\]: //p; s/^\(rblsmtpd: [^ ]* pid \)[0-9]*/\1P/p'
}
# age PATH: its first contact was long enough ago
age() {
	touch -m -d '10 minutes ago' "$work/greylist/$1"
}

cat >"$work/rules" <<'END'
127.0.10.:allow,RELAYCLIENT="",RBLSMTPD="",QMAILQUEUE="/nowhere"
127.0.11.:allow,RBLSMTPD="-Go away, %IP%"
127.0.12.:allow,RBLSMTPD="Later"
127.0.13.:allow,JGREYLIST=""
127.0.14.:allow,JGREYLIST="You, %, are 100% unwanted"
127.0.15.:deny
:allow
END
"$bin/tcprules" "$work/ours.cdb" "$work/tmp" <"$work/rules"
/usr/bin/tcprules "$work/debian.cdb" "$work/tmp" <"$work/rules"
same_file "$work/ours.cdb" "$work/debian.cdb" 'both tcprules make the same rules'
chmod 644 "$work/ours.cdb" "$work/debian.cdb"

# The way of a client, and what each rule does: with either tcpserver, and rules
# by the other one's tcprules.
check_service() {
	start_service </dev/null
	like "$(cat "$work/log")" "^command-line: exec tcpserver -vR -l mx.example.org -c 30 .* rblsmtpd -t0  -r bad.test -r worse.test:See_http://worse.test/\?%IP% jgreylist  qmail-smtpd  2>&1\$" \
		"$server_name: the command line is the guide's"

	knock 127.0.21.1
	is "$heard" '451 Listed, see http://bad.test/?127.0.21.1' \
		"$server_name: who is listed gets the 451 of -t0, and no more"
	is "$(verdict)" 'rblsmtpd: 127.0.21.1 pid P: 451 Listed, see http://bad.test/?127.0.21.1' \
		'and its line in the log, and no other'
	knock 127.0.23.1
	is "$heard" '451 See_http://worse.test/?127.0.23.1' \
		'a list of addresses alone, with a message'
	is "$(find "$work/greylist" -type f)" '' 'nobody of them is in the greylist'

	knock 127.0.30.1
	is "$(verdict)" '127.0.30.1: GREY first time' \
		"$server_name: who is not listed is greylisted"
	is "$heard" '220 jgreylist v8
250 jgreylist v8
250 jgreylist v8
450 GREYLIST Try again later.
221 jgreylist v8' 'and told so'
	is "$(cd "$work/greylist" && find . -type f)" ./127/000/030 'it has an entry'
	knock 127.0.30.9
	is "$(verdict)" '127.0.30.9: GREY too soon' 'its neighbour comes too soon'
	is "$(last_reply)" '450 GREYLIST I said to try later.' 'and is told so'
	age 127/000/030
	knock 127.0.30.1
	is "$(verdict)" '127.0.30.1: OK known' 'later it is known'
	like "$heard" '^220 mx.example.org ' 'and greeted by qmail-smtpd'
	like "$(last_reply)" '^250 ok' 'which takes its recipient'

	hard_message "$work/hard"
	recipient=$server_name@example.org
	curl -sS --interface 127.0.30.1 "smtp://$address:$run_port/client.example" \
		--crlf -T "$work/hard" --mail-from a@client.example \
		--mail-rcpt "$recipient" >"$work/curl.out" 2>&1
	is "$?$(cat "$work/curl.out")" 0 'its message is taken'
	arrived "$recipient" "$work/hard" 'byte for byte'

	knock 127.0.10.1
	is "$(verdict)" '127.0.10.1: OK relay client' \
		"$server_name: RELAYCLIENT and an empty RBLSMTPD: neither list nor greylist"
	like "$(last_reply)" '^250 ok' 'but qmail-smtpd at once'
	knock 127.0.11.1
	is "$heard" '553 Go away, 127.0.11.1' 'RBLSMTPD with a hyphen: 553, and %IP% is the address'
	knock 127.0.12.1
	is "$heard" '451 Later' 'and without: 451'
	knock 127.0.13.1
	is "$(verdict)" '127.0.13.1: OK whitelisted' 'an empty JGREYLIST: no greylist'
	knock 127.0.14.1
	is "$(verdict)" '127.0.14.1: DENY blacklisted' 'JGREYLIST with a text: refused'
	is "$(last_reply)" '553 DENIED You, 127.0.14.1, are 100% unwanted' \
		'with that text, and the address in it once'
	stop_service
}

server_name=ours folders=$bin cdb=$work/debian.cdb
check_service
server_name=debian folders=$work/with-debian:$bin cdb=$work/ours.cdb
check_service

# Each setting by itself.
server_name=ours folders=$bin cdb=$work/ours.cdb

start_service <<-'END'
	RBL_GOOD="good.test"
END
like "$(cat "$work/log")" ' rblsmtpd -t0  -a good.test -r bad.test ' \
	'RBL_GOOD: -a before -r'
knock 127.0.22.1
is "$(verdict)" '127.0.22.1: GREY first time' 'and who is there is not refused'
stop_service

start_service <<-'END'
	RBLSMTPD_PROG=
END
knock 127.0.21.1
is "$(verdict)" '127.0.21.1: GREY first time' 'no RBLSMTPD_PROG: no list is asked'
stop_service

start_service <<-'END'
	RBL_BAD=
	GREYLIST=
END
like "$(cat "$work/log")" "\\.cdb 127.0.0.2 $run_port   *qmail-smtpd  2>&1\$" \
	'no lists, no GREYLIST: qmail-smtpd alone'
knock 127.0.21.1
like "$heard" '^220 mx.example.org ' 'it greets everybody'
is "$(find "$work/greylist" -type f)" '' 'and there are no entries'
stop_service

start_service <<-END
	GREYLIST=$bin/jgreylist
	JGREYLIST_HOLDTIME=0
END
like "$(cat "$work/log")" '^JGREYLIST_HOLDTIME="0"$' 'a 0 is exported'
knock 127.0.30.1
knock 127.0.30.1
is "$(verdict)" '127.0.30.1: OK known' 'HOLDTIME=0: known at the next connection'
stop_service

start_service <<-'END'
	JGREYLIST_HOLDTIME=3600
END
knock 127.0.30.1
age 127/000/030
knock 127.0.30.1
is "$(verdict)" '127.0.30.1: GREY too soon' 'HOLDTIME=3600: ten minutes are too few'
stop_service

start_service <<-'END'
	JGREYLIST_BY_IP=1
	JGREYLIST_LOG_PID=0
	JGREYLIST_LOG_SMTP=1
	JGREYLIST_LIMIT=2
END
knock 127.0.30.1
is "$(cd "$work/greylist" && find . -type f)" ./127/000/030/001 \
	'BY_IP: an entry for the address'
like "$logged" '^jgreylist: 127.0.30.1: GREY first time$' 'LOG_PID=0: no pid'
like "$logged" '^jgreylist: (127.0.30.1: )?[<>]{3} RCPT TO:<u@example.org>$' \
	'LOG_SMTP: what the client says is in the log'
like "$logged" '^jgreylist: (127.0.30.1: )?[<>]{3} 450 GREYLIST Try again later\.$' \
	'and what it is told'
come 127.0.30.2 'HELO x' 'MAIL FROM:<>' 'RCPT TO:<a@b>' 'rcpt to:<c@d>' 'RCPT TO:<e@f>'
is "$(printf '%s\n' "$heard" | tail -n 2)" '450 GREYLIST Try again later.
421 Too many RCPT commands, goodbye.' 'LIMIT=2: the second RCPT is the last'
like "$logged" '^jgreylist: 127.0.30.2: HANGUP too many RCPT commands$' 'and logged'
stop_service

start_service <<-'END'
	JGREYLIST_LOG=0
	JGREYLIST_LOG_SMTP=0
	JGREYLIST_LIMIT=0
	JGREYLIST_BY_IP=0
END
knock 127.0.30.1
unlike "$logged" 'jgreylist' 'LOG=0: nothing in the log'
is "$(cd "$work/greylist" && find . -type f)" ./127/000/030 \
	'and each other 0 is off'
is "$(last_reply)" '450 GREYLIST Try again later.' 'it is greylisted all the same'
stop_service

start_service <<-'END'
	JGREYLIST_NOREV="No name for %"
END
knock 127.0.30.1
is "$(verdict)" '127.0.30.1: DENY no reverse DNS' 'NOREV: who has no name is refused'
is "$(last_reply)" '553 DENIED No name for 127.0.30.1' 'with that text'
knock 127.0.0.10
is "$(verdict)" '127.0.0.10: GREY first time' 'who has one is not'
stop_service

start_service <<-'END'
	JGREYLIST_TIMEOUT=5
END
knock_at=$(date +%s)
come 127.0.30.1 'HELO client.example'
is "$heard" '220 jgreylist v8
250 jgreylist v8
421 timeout' 'TIMEOUT: a client that says no more is left'
waited=$(($(date +%s) - knock_at))
if [ $waited -ge 4 ] && [ $waited -le 20 ]; then ok 'after five seconds'
else not_ok 'after five seconds' "$waited"; fi
stop_service

start_service <<-'END'
	RBL_BAD=
	GREYLIST=
	GREETDELAY=1
	DROP_PRE_GREET=1
END
lines_before=0
heard=$(tcpclient -R -H -l 0 -i 127.0.30.1 "$address" "$run_port" sh -c \
	'printf "EHLO early\r\n" >&7; cat <&6' | tr -d '\r')
is "$heard" '554 SMTP protocol violation' \
	'GREETDELAY and DROP_PRE_GREET: who talks first is dropped'
knock 127.0.30.1
like "$heard" '^220 mx.example.org ' 'who waits is greeted'
stop_service

start_service <<-'END'
	RECORDIO=recordio
	JGREYLIST_HOLDTIME=0
END
like "$(cat "$work/log")" ' jgreylist recordio qmail-smtpd  2>&1$' 'RECORDIO comes behind'
knock 127.0.30.1
unlike "$logged" '^[0-9]+ [<>] ' 'and sees nothing of who is refused'
knock 127.0.30.1
like "$logged" '^[0-9]+ < EHLO client.example' 'but of who is let in'
stop_service

start_service <<-'END'
	IP=127.0.0.1
END
unlike "$(cat "$work/log")" ' -x ' 'the service for this machine has no rules'
knock 127.0.30.1
is "$(verdict)" '127.0.30.1: OK relay client' 'and greylists nobody'
stop_service

name='SSL=1: the guards stand behind sslserver'
if is_here openssl "$name"; then
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 2 -subj /CN=mx.example.org -keyout "$work/key" \
		-out "$work/certificate" 2>/dev/null
	cat "$work/certificate" >>"$work/key"
	start_service <<-END
		SSL=1
		SSL_CERT=$work/key
	END
	tls_talk() {
		printf 'EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nQUIT\r\n' |
			openssl s_client -quiet -ign_eof -bind "$1" -connect \
				"$address:$run_port" 2>/dev/null | tr -d '\r'
	}
	is "$(tls_talk 127.0.21.1)" '451 Listed, see http://bad.test/?127.0.21.1' \
		"$name: who is listed"
	is "$(tls_talk 127.0.30.1 | sed -n 4p)" '450 GREYLIST Try again later.' \
		"$name: who is not"
	stop_service
fi

# cron's line for jgreylist-clean has no arguments, and cron's environment next
# to nothing. It takes the folder of JGREYLIST_DIR, or the one under the home.
plant() {
	mkdir -p "$1/127/000"
	touch -d '3 days ago' "$1/127/000/031"  # never came back
	touch -m -d '90 days ago' "$1/127/000/032"
	touch -a -d '1 hour ago' "$1/127/000/032"
	touch "$1/127/000/033"
}
plant "$work/old"
out=$(env -i HOME=/ LOGNAME=root SHELL=/bin/sh PATH=/usr/bin:/bin \
	JGREYLIST_DIR="$work/old" "$bin/jgreylist-clean" 2>&1)
is "$?$out" 0 "cron's jgreylist-clean is silent"
is "$(cd "$work/old" && find . -type f | sort)" './127/000/032
./127/000/033' 'and removes who never came back'

name='without JGREYLIST_DIR it is the folder jgreylist of the home'
home=$(head -n 1 "$top/conf-home")
alone='unshare -m'
[ "$(id -u)" -eq 0 ] || alone='unshare -rm'
if $alone mount -t tmpfs none /mnt 2>/dev/null; then
	mkdir "$work/cron"
	plant "$work/cron"
	# shellcheck disable=SC2016 # for that shell
	out=$($alone sh -c '
		mount -t tmpfs none "/$(echo "$1" | cut -d / -f 2)" &&
		mkdir -p "$1" && cp -a "$2" "$1/jgreylist" &&
		env -i PATH=/usr/bin:/bin "$3" &&
		cd "$1/jgreylist" && find . -type f | sort' \
		sh "$home" "$work/cron" "$bin/jgreylist-clean" 2>&1)
	is "$out" './127/000/032
./127/000/033' "$name"
else skip 'no mount namespace' "$name"; fi

done_testing
