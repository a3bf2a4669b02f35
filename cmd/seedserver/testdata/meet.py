#!/usr/bin/python3
"""meet.py TORRENT OUTDIR BIND PORT KEY=VALUE...: be a leech with libtorrent, with no tracker and no DHT.

peer=IP:PORT   dial this peer
lsd=1          take part in local service discovery
dials=0        dial nobody
until=IP       exit 0 when a peer of this address is connected, else when the download is complete
source=pex     and it must have been told by this: pex or lsd

It prints the sources and the direction of that connection."""
import sys
import time

import libtorrent as lt

source, out, bind, port = sys.argv[1:5]
option = dict(arg.split("=", 1) for arg in sys.argv[5:])
session = lt.session({
    "listen_interfaces": f"{bind}:{port}", "outgoing_interfaces": bind,
    "enable_dht": False, "enable_lsd": option.get("lsd") == "1", "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False, "allow_multiple_connections_per_ip": True,
    "connection_speed": int(option.get("dials", 20)),
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(source)
params.save_path = out
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
torrent = session.add_torrent(params)
if "peer" in option:
    ip, p = option["peer"].rsplit(":", 1)
    torrent.connect_peer((ip, int(p)))


def met():
    if "until" not in option:
        return torrent.status().is_seeding
    for peer in torrent.get_peer_info():
        if peer.ip[0] != option["until"] or peer.flags & (lt.peer_info.connecting | lt.peer_info.handshake):
            continue
        told = [name for name in ("tracker", "dht", "pex", "lsd") if peer.source & getattr(lt.peer_info, name)]
        if "source" not in option or option["source"] in told:
            print(*told, "outgoing" if peer.flags & lt.peer_info.local_connection else "incoming")
            return True
    return False


while not met():
    time.sleep(0.05)
