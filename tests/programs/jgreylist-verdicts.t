#!/bin/sh
# jgreylist: what decides before the store is asked, in which order, what the log
# says of it, and what is wrong use.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/greylist.sh
. "$tests/greylist.sh"

# --- wrong use, and wrong set-up
TCPREMOTEIP=192.0.2.7
export TCPREMOTEIP
# is_fatal CODE LINE NAME: of the last contact, which told the client nothing
is_fatal() {
	is "$code|$verdict|$out" "$1|fatal: $2|" "$3"
}
code=0
jgreylist </dev/null >"$work/out" 2>"$work/err" || code=$?
is "$code|$(sed 's/\[[0-9]*\]//' "$work/err")" \
	'100|jgreylist: fatal: no command specified on command line' 'no program'
code=0
env -u TCPREMOTEIP JGREYLIST= jgreylist </dev/null 2>"$work/err" || code=$?
is "$code|$(sed 's/\[[0-9]*\]//' "$work/err")" \
	'100|jgreylist: fatal: no command specified on command line' \
	'is noticed before anything else'
for unset in '-u TCPREMOTEIP' TCPREMOTEIP=; do
	# shellcheck disable=SC2086 # two words
	contact $unset JGREYLIST=
	is_fatal 100 'TCPREMOTEIP is empty or missing' "no client ($unset)"
done
for unset in '-u JGREYLIST_DIR' JGREYLIST_DIR=; do
	# shellcheck disable=SC2086 # two words
	contact $unset
	is_fatal 111 'JGREYLIST_DIR is not set' "no store ($unset)"
done
contact "JGREYLIST_DIR=$work/absent"
is_fatal 111 "$work/absent does not exist" 'no folder'
is "$(ls -d "$work/absent" 2>/dev/null)" '' 'none is made'
: >"$work/file"
contact "JGREYLIST_DIR=$work/file"
is_fatal 111 "$work/file is not a directory" 'a file'
contact "JGREYLIST_DIR=$work/file/folder"
is_fatal 111 "$work/file/folder is not a directory" 'something in a file'
ln -s absent "$work/dangling"
contact "JGREYLIST_DIR=$work/dangling"
is_fatal 111 "$work/dangling does not exist" 'a link to nothing'
ln -s store "$work/link"
contact "JGREYLIST_DIR=$work/link"
is_first 192.0.2.7 'a link to a folder is one'
empty_the_store
contact "JGREYLIST_DIR=$work/link/"
is_first 192.0.2.7 'and so with a slash behind it'
contact "JGREYLIST_DIR=/$(printf '%05000d' 0)"
like "$verdict" '^192\.0\.2\.7: OK store failed: ' 'a name that is too long: in'

# Root without the right to go everywhere is somebody like others.
if [ "$(id -u)" -ne 0 ]; then lowly=
else lowly='setpriv --bounding-set -dac_override,-dac_read_search
	--inh-caps -dac_override,-dac_read_search'; fi
empty_the_store
chmod 500 "$store"
# shellcheck disable=SC2086 # a command's words
if $lowly sh -c ': >"$1/file"' - "$store" 2>/dev/null; then
	rm -f "$store/file"
	skip 'every folder is writable here' 'no right to write'
else
	for mode in 500 300 600; do
		chmod "$mode" "$store"
		code=0
		$lowly jgreylist echo let in <"$work/client" >"$work/out" \
			2>"$work/err" || code=$?
		case $mode in
		300) is "$code" 0 'a folder that cannot be listed will do' ;;
		*) is "$code|$(sed 's/^.*fatal: //' "$work/err")" \
			"111|$store is not readable, writable and searchable" \
			"a folder of mode $mode" ;;
		esac
	done
	chmod 700 "$store"
	mkdir -m 0 "$store/198"
	code=0
	TCPREMOTEIP=198.51.100.7 $lowly jgreylist echo let in <"$work/client" \
		>"$work/out" 2>"$work/err" || code=$?
	is "$code|$(sed 's/^[^ ]* //' "$work/err")" \
		'0|198.51.100.7: OK store failed: access denied' \
		'a folder within it of somebody else: in'
fi
chmod 700 "$store"

# --- JGREYLIST
empty_the_store
contact JGREYLIST=
is_let_in '192.0.2.7: OK whitelisted' 'JGREYLIST is empty: in'
contact -u JGREYLIST_DIR JGREYLIST= JGREYLIST_NOREV=no
is_let_in '192.0.2.7: OK whitelisted' 'without a store, whatever else'
contact TCPREMOTEIP=unknown JGREYLIST=
is_let_in 'unknown: OK whitelisted' 'and whoever it is'
contact 'JGREYLIST=go away'
is_verdict '192.0.2.7: DENY blacklisted' '553 DENIED go away' 'JGREYLIST=text'
contact 'JGREYLIST=%: see http://x.example/?%&%d %s'
is_verdict '192.0.2.7: DENY blacklisted' \
	'553 DENIED 192.0.2.7: see http://x.example/?%&%d %s' \
	'the address for the first % alone'
contact 'JGREYLIST=see ?ip=%'
is_verdict '192.0.2.7: DENY blacklisted' '553 DENIED see ?ip=192.0.2.7' \
	'at the end'
contact -u JGREYLIST_DIR RELAYCLIENT= 'JGREYLIST=go away'
is_verdict '192.0.2.7: DENY blacklisted' '553 DENIED go away' \
	'even who may relay, and without a store'
contact "JGREYLIST=$(printf 'a\r\n250 ok\033\351')"
is_verdict '192.0.2.7: DENY blacklisted' '553 DENIED a??250 ok??' \
	'bytes that are none of a reply'
contact "JGREYLIST=$(printf '%02000d' 0)"
is "${#reply}" 499 'a text that is too long is cut'
is "$(the_store)" '' 'nothing of this was in the store'

# --- a reverse name
contact 'JGREYLIST_NOREV=who are you, %?'
is_verdict '192.0.2.7: DENY no reverse DNS' '553 DENIED who are you, 192.0.2.7?' \
	'NOREV: no name'
contact 'JGREYLIST_NOREV=who?' TCPREMOTEHOST=
is_verdict '192.0.2.7: DENY no reverse DNS' '553 DENIED who?' \
	'NOREV: an empty name'
contact -u JGREYLIST_DIR 'JGREYLIST_NOREV=who?'
is_verdict '192.0.2.7: DENY no reverse DNS' '553 DENIED who?' \
	'NOREV: without a store'
is "$(the_store)" '' 'nothing of this was in the store'
contact 'JGREYLIST_NOREV=who?' TCPREMOTEHOST=mail.example
is_first 192.0.2.7 'NOREV: a name'
contact JGREYLIST_NOREV=
is_too_soon 192.0.2.7 'NOREV is empty: no name is needed'

# --- who may relay, and doubt
empty_the_store
for value in '' @relay.example; do
	contact -u JGREYLIST_DIR "RELAYCLIENT=$value" JGREYLIST_NOREV=x
	is_let_in '192.0.2.7: OK relay client' "RELAYCLIENT='$value': in"
done
contact JGREYLIST_ONLY=doubt
is_let_in '192.0.2.7: OK not in doubt' 'ONLY=doubt, and no doubt: in'
contact JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=
is_let_in '192.0.2.7: OK not in doubt' 'or an empty one'
contact JGREYLIST_ONLY=doubt JGREYLIST_NOREV=who
is_verdict '192.0.2.7: DENY no reverse DNS' '553 DENIED who' \
	'but not without a name, if one is needed'
is "$(the_store)" '' 'nothing of this was in the store'
contact JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=1
is_first 192.0.2.7 'ONLY=doubt, and doubt: greylisted'
contact JGREYLIST_DOUBT=1
is_too_soon 192.0.2.7 'doubt alone changes nothing'
contact JGREYLIST_ONLY=
is_too_soon 192.0.2.7 'nor does an empty ONLY'
contact JGREYLIST_ONLY=doubt JGREYLIST_DOUBT=1 JGREYLIST=
is_let_in '192.0.2.7: OK whitelisted' \
	'what a list that speaks for the client sets wins'

# --- the log
contact JGREYLIST_LOG=0
is "$code|$log|$reply" '0||450 GREYLIST I said to try later.' \
	'LOG=0: no line, the same reply'
contact JGREYLIST_LOG=abc JGREYLIST=
is "$code|$log|$reply" '0||let in' 'LOG=abc: none either'
contact JGREYLIST_LOG= JGREYLIST=
is_let_in '192.0.2.7: OK whitelisted' 'LOG=: a line'
contact JGREYLIST_LOG_PID=0
is "$log" 'jgreylist: 192.0.2.7: GREY too soon' 'LOG_PID=0: no number'
contact JGREYLIST_LOG_PID=0 JGREYLIST_DIR=
is "$log" 'jgreylist: fatal: JGREYLIST_DIR is not set' 'wherever'
contact JGREYLIST_LOG_PID=0 JGREYLIST_LOG_SMTP=1
is "$log" 'jgreylist: 192.0.2.7: GREY too soon
jgreylist: >>> 220 jgreylist v8
jgreylist: <<< RCPT TO:<a@b.example>
jgreylist: >>> 450 GREYLIST I said to try later.
jgreylist: <<< QUIT
jgreylist: >>> 221 jgreylist v8' 'LOG_SMTP=1: the conversation'
contact JGREYLIST_LOG_PID=0 JGREYLIST_LOG=0 JGREYLIST_LOG_SMTP=1
is "$(printf '%s\n' "$log" | head -n 1)" 'jgreylist: >>> 220 jgreylist v8' \
	'LOG_SMTP=1 and LOG=0: that alone'
unlike "$(contact JGREYLIST_LOG_SMTP=abc; echo "$log")" '>>>' 'LOG_SMTP=abc is 0'
strange=$(printf '192.0.2.7\n250 ok\033')
contact JGREYLIST= "TCPREMOTEIP=$strange"
is "$verdict" '192.0.2.7?250 ok?: OK whitelisted' 'its bytes are made printable'
code=0
jgreylist true <"$work/client" >/dev/null 2>&- || code=$?
is "$code" 0 'a closed log stops nobody'

# --- the next program
code=0
JGREYLIST='' jgreylist "$work/none" </dev/null 2>"$work/err" || code=$?
is "$code|$(tail -n 1 "$work/err" | sed 's/\[[0-9]*\]//')" \
	"111|jgreylist: fatal: unable to run $work/none: file does not exist" \
	'one that cannot be run'
is "$(printf 'EHLO x\r\nQUIT\r\n' | JGREYLIST='' jgreylist cat 2>/dev/null |
	cksum)" "$(printf 'EHLO x\r\nQUIT\r\n' | cksum)" \
	'gets every byte of the client'
code=0
JGREYLIST='' jgreylist sh -c 'exit 37' 2>/dev/null || code=$?
is "$code" 37 'its exit code is that of the connection'
is "$(env -i "JGREYLIST=" A=b TCPREMOTEIP=1.2.3.4 "PATH=$PATH" jgreylist env \
	2>/dev/null | grep -v ^PATH | sort)" "$(printf '%s\n' A=b JGREYLIST= \
	TCPREMOTEIP=1.2.3.4)" 'and the environment is what it was'
done_testing
