/* line: greets the client on descriptors 0 and 1, hears one line, says farewell:
   the least that a program behind TLS does.
   SPDX-License-Identifier: ISC */
#include <unistd.h>

static const char greeting[] = "220 bench.example ESMTP\r\n";
static const char farewell[] = "221 bench.example\r\n";

int main(void)
{
	char line[512];

	if (write(1, greeting, sizeof greeting - 1) < 0) return 1;
	if (read(0, line, sizeof line) <= 0) return 1;
	return write(1, farewell, sizeof farewell - 1) < 0;
}
