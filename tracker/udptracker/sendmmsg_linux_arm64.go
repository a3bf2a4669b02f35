package udptracker

import "syscall"

const sysSendmmsg = syscall.SYS_SENDMMSG
