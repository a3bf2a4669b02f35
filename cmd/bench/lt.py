"""What bench lets libtorrent do. Settings: the preset named, nothing but TCP on loopback, and no limit that would stop it from serving.

lt.py version
lt.py seed HOST:PORT DIR TORRENT           check the data, then seed; prints "ready" when it does
lt.py believe HOST:PORT DIR TORRENTS       seed the .torrent files of the directory TORRENTS, believing that all is there
lt.py get HOST:PORT DIR TORRENT            download; ends when complete
lt.py create FILE PIECE-LENGTH TORRENT     hash
"""
import os
import resource
import sys
import time

import libtorrent as lt


def session(preset, address):
    settings = {"default": lt.default_settings, "high-performance": lt.high_performance_seed}[preset]()
    settings.update({
        "listen_interfaces": address, "outgoing_interfaces": address.rsplit(":", 1)[0], "alert_mask": 0,
        "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        "enable_outgoing_utp": False, "enable_incoming_utp": False, "allow_multiple_connections_per_ip": True,
        "connections_limit": 20000, "unchoke_slots_limit": 20000, "listen_queue_size": 3000, "max_peerlist_size": 20000,
        "active_seeds": -1, "active_limit": -1, "active_downloads": -1, "peer_turnover": 0, "close_redundant_connections": False,
    })
    return lt.session(settings)


def params(file, directory):
    p = lt.add_torrent_params()
    p.ti = lt.torrent_info(file)
    p.save_path = directory
    p.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    return p


def seed(address, directory, *files, flags=0):
    ses = session("high-performance", address)
    for f in files:
        p = params(f, directory)
        p.flags |= flags
        p.max_connections = p.max_uploads = 20000
        p.trackers = []
        ses.async_add_torrent(p)
    while len(handles := ses.get_torrents()) < len(files):
        time.sleep(0.02)
    while not all(h.status(0).is_seeding for h in handles):
        time.sleep(0.02)
    print("ready", flush=True)
    while True:
        time.sleep(3600)


def believe(address, directory, torrents):
    seed(address, directory, *sorted(e.path for e in os.scandir(torrents)), flags=lt.torrent_flags.seed_mode)


def get(address, directory, torrent):
    ses = session("default", address)
    h = ses.add_torrent(params(torrent, directory))
    while not h.status(0).is_seeding:
        time.sleep(0.02)


def create(file, piece_length, torrent):
    storage = lt.file_storage()
    lt.add_files(storage, file)
    t = lt.create_torrent(storage, int(piece_length), lt.create_torrent.v1_only)
    lt.set_piece_hashes(t, os.path.dirname(os.path.abspath(file)))
    with open(torrent, "wb") as out:
        out.write(lt.bencode(t.generate()))


if sys.argv[1] == "version":
    print(lt.__version__)
else:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    {"seed": seed, "believe": believe, "get": get, "create": create}[sys.argv[1]](*sys.argv[2:])
