#!/usr/bin/python3
"""seed.py TORRENT DIR BIND PORT: seed with libtorrent until killed; says "ready" when the data are checked."""
import sys
import time

import libtorrent as lt

source, data, bind, port = sys.argv[1:5]
session = lt.session({
    "listen_interfaces": f"{bind}:{port}", "outgoing_interfaces": bind.strip("[]"),
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False, "allow_multiple_connections_per_ip": True,
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(source)
params.save_path = data
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
torrent = session.add_torrent(params)
while not torrent.status().is_seeding:
    time.sleep(0.05)
print("ready", flush=True)
while True:
    time.sleep(1)
