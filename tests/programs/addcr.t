#!/bin/sh
# addcr: a CR before every LF, as Debian's.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/line-endings.sh"
need perl /usr/bin/addcr

line_endings_of addcr
is "$(addcr <"$work/in.mixed" | od -An -c | tr -s ' ')" ' a \r \n b \r \r \n c' \
	'before every LF, and none at the end'
addcr <"$work/in.random" | delcr >"$work/out"
same_file "$work/out" "$work/in.random" 'what it adds, delcr takes away'
done_testing
