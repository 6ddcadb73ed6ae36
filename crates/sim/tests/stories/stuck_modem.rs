//! A modem left in data mode by whoever used it before is freed without anybody pulling its plug.

use bridge_proto::event::Event;
use bridge_proto::modem::RescueStep;
use bridge_sim::host::profile::OPENWRT;
use bridge_sim::modem::profile::HUAWEI;
use bridge_sim::world::{ModemSetup, World, WorldConfig, is_up};

use crate::told::secs;

#[test]
fn a_modem_in_data_mode_that_does_not_look_at_dtr_is_freed_by_its_escape_sequence() {
    let mut setup = ModemSetup::new(&HUAWEI, 0);
    setup.modem.faults.starts_in_data_mode = true;
    setup.modem.faults.ignores_dtr = true;
    let mut world = World::new(WorldConfig::pair(OPENWRT, setup));
    world.start(0);
    let escaped = |event: &Event| matches!(event, Event::Rescued { by: Some(RescueStep::Escape), .. });
    world.run_until(secs(60), |entry| entry.event().is_some_and(escaped));
    world.run_until(secs(60), |entry| is_up(entry, 0));
}
