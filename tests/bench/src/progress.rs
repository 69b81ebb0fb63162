//! What is going on: a bar on a terminal, plain lines anywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub struct Progress {
    bar: ProgressBar,
    plain: bool,
}

impl Progress {
    /// Of so many steps.
    pub fn new(steps: u64) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            Some(steps),
            if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() },
        );
        let style =
            ProgressStyle::with_template("{wide_bar} {pos}/{len}, {elapsed} of about {duration}\n{msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_secs(1));
        Progress { bar, plain }
    }

    /// Says what is done now.
    pub fn say(&self, what: impl Into<String>) {
        let what = what.into();
        if self.plain {
            let (position, length) = (self.bar.position() + 1, self.bar.length().unwrap_or_default());
            eprintln!("[{}/{length}, {} s] {what}", position.min(length), self.bar.elapsed().as_secs());
        }
        self.bar.set_message(what);
    }

    /// Says what came of what was said last, to stay.
    pub fn tell(&self, what: &str) {
        match self.plain {
            true => eprintln!("    {what}"),
            false => self.bar.suspend(|| eprintln!("{}: {what}", self.bar.message())),
        }
    }

    pub fn step(&self) {
        self.bar.inc(1);
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
