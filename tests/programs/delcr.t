#!/bin/sh
# delcr: no CR before an LF, as Debian's.
# SPDX-License-Identifier: ISC
. "$(dirname "$0")/../lib.sh"
. "$tests/line-endings.sh"
need perl /usr/bin/delcr

line_endings_of delcr
is "$(delcr <"$work/in.crs" | od -An -c | tr -s ' ')" ' a \n b \r \n c \r d \r' \
	'one before an LF, and no other'
done_testing
