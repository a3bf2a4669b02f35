package udptracker

const sysSendmmsg = 307 // not in package syscall, which knows it for arm64
