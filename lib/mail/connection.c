/* SPDX-License-Identifier: ISC */
#include "mail/connection.h"

#include <stdlib.h>

struct connection connection_from_environment(void)
{
	return (struct connection){
		.remote_ip = getenv("TCPREMOTEIP"),
		.remote_port = getenv("TCPREMOTEPORT"),
		.remote_host = getenv("TCPREMOTEHOST"),
		.remote_info = getenv("TCPREMOTEINFO"),
		.local_ip = getenv("TCPLOCALIP"),
		.local_port = getenv("TCPLOCALPORT"),
		.local_host = getenv("TCPLOCALHOST"),
		.relay_suffix = getenv("RELAYCLIENT"),
	};
}
