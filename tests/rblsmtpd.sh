# Running rblsmtpd without a conversation, after lib.sh: what a case needs is in
# one line. SPDX-License-Identifier: ISC
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # for the test; from lib.sh

# The next program: says that it runs, and what it was told.
cat >"$work/next" <<'EOF'
#!/bin/sh
echo "in RBLSMTPD=${RBLSMTPD-unset} JGREYLIST=${JGREYLIST-unset}" \
	"DOUBT=${JGREYLIST_DOUBT-unset} ${GREETDELAY+GREETDELAY}" \
	"${DROP_PRE_GREET+DROP_PRE_GREET}" | sed 's/ *$//'
EOF
chmod 755 "$work/next"
in='in RBLSMTPD=unset JGREYLIST=unset DOUBT=unset'
export TCPREMOTEIP=192.0.2.1

# ask OPTION…: what the client or the next program was told is in $out, the log
# in $log, with P for the pid, and the exit code in $code.
ask() {
	code=0
	rblsmtpd -t0 "$@" "$work/next" </dev/null >"$work/out" \
		2>"$work/log" || code=$?
	out=$(tr -d '\r' <"$work/out")
	log=$(sed 's/ pid [0-9]*:/ pid P:/' "$work/log")
}
# refuses REPLY NAME: it has, with that reply, and has said so once.
refuses() {
	is "$code $out
$log" "0 $1
rblsmtpd: $TCPREMOTEIP pid P: $1" "$2"
}
# lets_in NAME [DIFFERENCE]: it has, and has not said anything. The difference
# is what the next program is told beyond the usual, as a sed command.
lets_in() {
	is "$code $out
$log" "0 $(echo "$in" | sed "${2:-}")
" "$1"
}
