mod likelihood;
mod outcome;
