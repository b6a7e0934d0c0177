//! A cluster of several hosts, which are network namespaces, and a link between them that is cut.

use std::net::Ipv4Addr;
use std::process::{Command, id};
use std::time::Instant;

use consilience_cluster::processes::{Cluster, Part, Plan, wait};

use crate::support::{QUERY, client, client_elsewhere, paused_in_stages, programs, read, scratch, succeeded};

/// Hosts with a network of their own, all on one bridge, to which this process has access too. They end with it.
struct Network {
    hosts: usize,
}

impl Network {
    /// Makes it, where the system lets us.
    fn of(hosts: usize) -> Result<Self, String> {
        // Dropped on the way if a step fails.
        let network = Self { hosts };
        let bridge = network.bridge();
        ip(&["link", "add", &bridge, "type", "bridge"])?;
        ip(&["address", "add", &format!("{}/28", network.address(hosts)), "dev", &bridge])?;
        ip(&["link", "set", &bridge, "up"])?;
        for host in 0..hosts {
            let (name, cable) = (network.name(host), network.cable(host));
            ip(&["netns", "add", &name])?;
            ip(&["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
            ip(&["link", "set", &cable, "master", &bridge, "up"])?;
            ip(&["-n", &name, "address", "add", &format!("{}/28", network.address(host)), "dev", "eth0"])?;
            ip(&["-n", &name, "link", "set", "eth0", "up"])?;
            ip(&["-n", &name, "link", "set", "lo", "up"])?;
        }
        Ok(network)
    }

    /// Names are of this process, so that two can have networks at once; the kernel takes 15 letters.
    fn bridge(&self) -> String {
        format!("cb{}", id())
    }

    fn name(&self, host: usize) -> String {
        format!("ch{}-{host}", id())
    }

    fn cable(&self, host: usize) -> String {
        format!("cv{}-{host}", id())
    }

    /// From the addresses that are set apart for benchmarks of networks (RFC 2544), sixteen for each process.
    fn address(&self, host: usize) -> Ipv4Addr {
        Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 0).to_bits() + id() % (1 << 13) * 16 + 1 + host as u32)
    }

    /// A process on a host.
    fn part(&self, host: usize) -> Part {
        let prefix = ["ip", "netns", "exec", &self.name(host)].map(str::to_owned).to_vec();
        Part { address: self.address(host), prefix, ..Part::default() }
    }

    /// What is sent to a host or by it is lost from now on, and nobody is told.
    fn cut(&self, host: usize) {
        ip(&["link", "set", &self.cable(host), "down"]).expect("a cut");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // What was not made cannot be removed. A cable would go with its host, but later.
        for host in 0..self.hosts {
            let _ = ip(&["link", "delete", &self.cable(host)]);
            let _ = ip(&["netns", "delete", &self.name(host)]);
        }
        let _ = ip(&["link", "delete", &self.bridge()]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| format!("ip: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {}: {}", arguments.join(" "), said.trim())) }
}

/// The link of an executor is cut while it still has work before it, and while others fetch what it handed on: it lives, and
/// nobody hears of it.
#[test]
fn an_executor_whose_link_is_cut_leaves_the_answer_as_it_was() {
    let (folder, table) = scratch();
    let calm = folder.path().join("calm.parquet");
    succeeded(client("local", &table, QUERY, &calm, &[]));
    for (stage, query) in paused_in_stages() {
        let network = match Network::of(3) {
            Ok(network) => network,
            // With the variable set no such test is skipped unseen.
            Err(error) => {
                assert!(std::env::var_os("CONSILIENCE_REQUIRE_NETNS").is_none(), "{error}");
                println!("not run, for there is no network of namespaces here: {error}");
                return;
            }
        };
        let folder = folder.path().join(format!("stage-{stage}"));
        let mut cluster = Cluster::start(&Plan {
            programs: programs(),
            folder: &folder,
            scheduler: network.part(0),
            executors: vec![network.part(1), network.part(2)],
            tls: None,
        })
        .expect("a cluster");
        let hurt = folder.join("hurt.parquet");
        let began = Instant::now();
        let mut job = client_elsewhere(&network.part(0).prefix, &cluster.url, &table, &query, &hurt, &[]);
        wait("output of the one to be cut off", || cluster.executors[0].has_written(stage)).expect("output");
        network.cut(1);
        assert!(job.try_wait().expect("a state").is_none(), "the job was over before");
        assert!(cluster.executors[0].is_running().expect("a state"));
        succeeded(job);
        println!("cut off in stage {stage}, the job took {:?}", began.elapsed());
        let (hurt, calm) = (read(&hurt), read(&calm));
        let at = hurt.iter().zip(&calm).position(|(hurt, calm)| hurt != calm);
        assert!(hurt == calm, "another answer: {} rows, of {}, the first at {at:?}", hurt.len(), calm.len());
        wait("the loss to be noticed", || !cluster.is_ready()).expect("noticed");
    }
}
