//! Stories in virtual time, one behaviour a file. What each file's tests are called is what is promised.
//!
//! The laws of `World` are checked throughout, so a story only says what is its own.

mod told;

mod back_off;
mod bad_wire;
mod changing_interface;
mod crowd;
mod deaf_modem;
mod early_answer;
mod end_of_call;
mod endings;
mod failed_dial;
mod first_session;
mod goodbyes;
mod late_listener;
mod limits;
mod locked_out;
mod lost_answers;
mod noise;
mod one_dial;
mod repeated_padr;
mod rescue;
mod restarted_host;
mod second_host;
mod shutdown;
mod silent_host;
mod still_there;
mod strangers;
mod stray_frames;
mod stuck_modem;
mod two_bridges;
mod unplugged;
mod warm_modem;
